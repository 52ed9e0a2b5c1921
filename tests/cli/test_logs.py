import json
import logging

import pytest

from aip_trio.cli._logs import open_log
from aip_trio.cli._settings import LogFormat, LogLevel, Settings
from aip_trio.errors import StartFailed

logger = logging.getLogger("aip_trio.tests")


def fail() -> Exception:
    try:
        raise ValueError("no\nvalue")
    except ValueError as error:
        return error


def test_text_is_one_line_even_with_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with open_log(Settings()):
        logger.error("broken %s", "pipe", exc_info=fail())
        logger.info("not shown")
    assert capsys.readouterr().err.endswith(" error aip_trio.tests: broken pipe (ValueError: no\\nvalue)\n")


def test_debug_adds_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with open_log(Settings(debug=True)):
        logger.error("broken", exc_info=fail())
    assert "Traceback" in capsys.readouterr().err


def test_json_is_an_object_on_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    with open_log(Settings(log_format=LogFormat.JSON, log_level=LogLevel.INFO)):
        logger.info("opened %d", 3, extra={"path": "/a", "value": {1}})
        logger.error("broken", exc_info=fail())
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("info", "aip_trio.tests", "opened 3")
    assert (first["path"], first["value"]) == ("/a", "{1}")
    assert second["error"] == "ValueError: no\nvalue"
    assert "Traceback" in second["traceback"]


@pytest.mark.parametrize(("level", "shown"), [(LogLevel.INFO, 0), (LogLevel.DEBUG, 3)])
def test_expected_errors_are_shown_with_level_debug_only(
    level: LogLevel, shown: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_log(Settings(log_level=level)) as log:
        log.expect(ValueError)
        logger.error("planned", exc_info=ExceptionGroup("", [fail()]))
        logger.error("planned: %s", StartFailed("/a", fail()))
        logger.error("planned", extra={"error": fail()})
        logger.error("mixed", exc_info=ExceptionGroup("", [fail(), KeyError()]))
        logger.error("plain %s", "ValueError")
    told = capsys.readouterr().err
    assert told.count("planned") == shown
    assert "mixed" in told
    assert "plain" in told


def test_warnings_are_shown_unless_said_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    with open_log(Settings()):
        logger.warning("shown")
        logger.info("hidden")
    assert "hidden" not in (told := capsys.readouterr().err)
    assert "shown" in told


def test_logging_is_left_as_it_was() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with open_log(Settings(log_level=LogLevel.DEBUG)):
        assert len(root.handlers) == len(before[1]) + 1
    assert (root.level, root.handlers) == before
