"""The log on stderr. Nothing else in aip_trio configures logging."""

import json
import logging
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

from aip_trio.cli._failures import leaves, say
from aip_trio.cli._settings import LogFormat, LogLevel, Settings
from aip_trio.cli._text import printable

__all__ = ["JsonFormatter", "Log", "TextFormatter", "open_log"]

#: What every record has: the rest was given in ``extra``.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _cause_of(record: logging.LogRecord) -> BaseException | None:
    """The exception that a record is about, also where its own text says all of it."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    found = (_error_of(record), getattr(record, "error", None), *arguments)
    return next((each for each in found if isinstance(each, BaseException)), None)


def _one_line(error: BaseException) -> str:
    return "; ".join(f"{type(leaf).__qualname__}: {leaf}" for leaf in leaves(error))


class TextFormatter(logging.Formatter):
    """A line for people; a traceback only where tracebacks were asked for."""

    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        moment = datetime.fromtimestamp(record.created, UTC).astimezone()
        line = f"{moment:%H:%M:%S} {record.levelname.lower()} {record.name}: {record.getMessage()}"
        error = _error_of(record)
        if error is None:
            return printable(line)
        if self._tracebacks:
            return f"{printable(line)}\n{''.join(traceback.format_exception(error)).rstrip()}"
        return printable(f"{line} ({_one_line(error)})")


class JsonFormatter(logging.Formatter):
    """An object on a line: time, level, logger, message, what ``extra`` held, and the error."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        error = _error_of(record)
        if error is not None:
            fields["error"] = _one_line(error)
            fields["traceback"] = "".join(traceback.format_exception(error))
        return json.dumps(fields, default=repr)


class Log(logging.Handler):
    """Writes to what ``sys.stderr`` is at that moment: a live view puts itself in between."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._expected: tuple[type[BaseException], ...] = ()

    def expect(self, *kinds: type[BaseException]) -> None:
        """Errors of these kinds are part of the plan: records of them are shown with level debug only."""
        self._expected = kinds

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is shown."""
        error = _cause_of(record)
        planned = error is not None and all(isinstance(leaf, self._expected) for leaf in leaves(error))
        return bool(super().filter(record)) and (not planned or self.level <= logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        try:
            say(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - as every handler: a record that cannot be written harms nobody
            self.handleError(record)


@contextmanager
def open_log(settings: Settings) -> Generator[Log]:
    """Send the log to stderr while the block runs."""
    log = Log(getattr(logging, (settings.log_level or LogLevel.WARNING).name))
    as_json = settings.log_format is LogFormat.JSON
    log.setFormatter(JsonFormatter() if as_json else TextFormatter(tracebacks=settings.debug))
    root = logging.getLogger()
    before = root.level
    root.addHandler(log)
    root.setLevel(min(log.level, before) if before else log.level)
    try:
        yield log
    finally:
        root.setLevel(before)
        root.removeHandler(log)
