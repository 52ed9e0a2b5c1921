"""What the program says on stdout."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live

from aip_trio.cli._settings import Settings

__all__ = ["Output", "View"]


class View:
    """A part of the terminal that is drawn again and again; nothing at all without a terminal."""

    def __init__(self, live: Live | None = None) -> None:
        self._live = live

    @property
    def visible(self) -> bool:
        """Whether there is anything to draw on: making a picture for nobody is wasted."""
        return self._live is not None

    def show(self, picture: RenderableType) -> None:
        """Draw this in the place of the last one."""
        if self._live is not None:
            self._live.update(picture, refresh=True)

    def close(self) -> None:
        """No more of it."""
        self._live = None


class Output:
    """Rich on a terminal, plain lines without one, one JSON object with ``--json`` (or one for each item).

    Plain lines carry no escape codes, whatever the environment says. When the reader of the output has
    gone, ``on_closed`` is called, once, and the rest is dropped. Any other failure to write is an OSError,
    once.
    """

    def __init__(self, settings: Settings, stream: TextIO | None = None) -> None:
        # Started with a closed stdout, Python has none.
        chosen = stream or cast("TextIO | None", sys.stdout) or io.StringIO()
        self._stream = chosen
        self._json = settings.json
        self._told = False
        self._console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
        dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
        self.live = self._stream.isatty() and not dumb and not settings.json
        self.closed = False
        self.on_closed: Callable[[], None] = lambda: None
        if isinstance(chosen, io.TextIOWrapper):
            # What the encoding lacks is shown as an escape, rather than being a crash.
            chosen.reconfigure(errors="backslashreplace")

    def line(self, text: str = "") -> None:
        """A line of progress, for people: not with ``--json``."""
        if not self._json:
            self._say(lambda: self._print(text))

    def item(self, data: Mapping[str, object], line: str) -> None:
        """One of many that come by and by: a line, or an object on a line with ``--json``."""
        self._say(lambda: self._write(json.dumps(data) + "\n") if self._json else self._print(line))

    def write(self, text: str) -> None:
        """Text as it is, such as what moves a terminal's cursor. Whoever calls this knows where it goes."""
        self._say(lambda: self._write(text))

    def result(
        self, data: Mapping[str, object], picture: Callable[[], RenderableType], lines: Iterable[str]
    ) -> None:
        """The outcome: the picture on a terminal, the lines without one, the data with ``--json``."""
        self._told = True
        if self._json:
            self._say(lambda: self._write(json.dumps(data) + "\n"))
        elif self.live:
            self._say(lambda: self._console.print(picture()))
        else:
            self._say(lambda: self._write("".join(f"{line}\n" for line in lines)))

    def failure(self, reason: str, status: int) -> None:
        """Why there is no outcome, with ``--json``; people read it on stderr. Nothing after an outcome."""
        if self._json and reason and not self._told:
            self._told = True
            self._say(lambda: self._write(json.dumps({"error": reason, "exit_status": status}) + "\n"))

    @contextmanager
    def view(self) -> Generator[View]:
        """A live view while the block runs, where there is a terminal for it."""
        if not self.live:
            yield View()
            return
        live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=sys.stderr.isatty(),
        )
        view = View(live)
        try:
            with live:
                yield view
        finally:
            view.close()

    def flush(self) -> None:
        """Bring out what is still buffered."""
        self._say(self._stream.flush)

    def _print(self, text: str) -> None:
        if self.live:
            self._console.print(text)
        else:
            self._write(text + "\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _say(self, speak: Callable[[], object]) -> None:
        if self.closed:
            return
        try:
            speak()
        except BrokenPipeError:
            self._close()
            self.on_closed()
        except OSError:
            self._close()
            raise

    def _close(self) -> None:
        self.closed = True
        self._divert()

    def _divert(self) -> None:
        """Let what is still buffered go nowhere, when the interpreter flushes it at its end."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nowhere, self._stream.fileno())
            finally:
                os.close(nowhere)
