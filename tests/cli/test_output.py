import io
import json
import os
from collections.abc import Callable

import pytest
from rich.text import Text

from aip_trio.cli._output import Output
from aip_trio.cli._settings import Settings


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def say(output: Output) -> None:
    output.line("a line [red]with brackets[/red]")
    with output.view() as view:
        view.show(Text("live"))
        assert view.visible == output.live
    view.show(Text("too late"))
    output.result({"a": 1}, lambda: Text("picture"), ["first", "second"])


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_terminal_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    say(Output(Settings(), stream))
    assert stream.getvalue() == "a line [red]with brackets[/red]\nfirst\nsecond\n"


def test_json_is_one_object_and_nothing_else() -> None:
    stream = Terminal()
    say(Output(Settings(json=True), stream))
    assert json.loads(stream.getvalue()) == {"a": 1}
    assert stream.getvalue().count("\n") == 1


def test_json_tells_a_failure_where_there_is_no_outcome() -> None:
    stream = Terminal()
    output = Output(Settings(json=True), stream)
    output.failure("no such device", 2)
    assert json.loads(stream.getvalue()) == {"error": "no such device", "exit_status": 2}
    output.failure("and another", 2)
    assert stream.getvalue().count("\n") == 1


def test_a_failure_is_for_programs_and_comes_after_no_outcome() -> None:
    plain, told = Terminal(), Terminal()
    Output(Settings(), plain).failure("reason", 2)
    assert plain.getvalue() == ""
    output = Output(Settings(json=True), told)
    say(output)
    output.failure("it has given up", 1)
    assert json.loads(told.getvalue()) == {"a": 1}


def test_a_terminal_gets_pictures() -> None:
    stream = Terminal()
    say(Output(Settings(), stream))
    assert "live" in stream.getvalue()
    assert "picture" in stream.getvalue()
    assert "first" not in stream.getvalue()
    assert "too late" not in stream.getvalue()
    assert "\x1b[?25h" in stream.getvalue()  # the cursor is back


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    say(Output(Settings(), stream))
    assert "\x1b" not in stream.getvalue()
    assert "first" in stream.getvalue()


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    Output(Settings(), stream).result({}, lambda: Text("red", style="red"), [])
    assert stream.getvalue() == "red\n"


def test_what_the_encoding_lacks_is_an_escape() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    Output(Settings(), stream).line("ä")
    assert raw.getvalue() == b"\\xe4\n"


def say_a_line(output: Output) -> None:
    output.line("x")


def closed_pipe() -> io.TextIOWrapper:
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w", encoding="utf-8")


@pytest.mark.parametrize("speak", [say_a_line, say])
def test_a_reader_that_has_gone_is_told_once(speak: Callable[[Output], None]) -> None:
    told: list[str] = []
    with closed_pipe() as stream:
        output = Output(Settings(), stream)
        output.on_closed = lambda: told.append("closed")
        speak(output)
        speak(output)
    assert output.closed
    assert told == ["closed"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_error_once() -> None:
    with open("/dev/full", "w", encoding="utf-8") as stream:
        output = Output(Settings(), stream)
        with pytest.raises(OSError, match="No space left"):
            output.line("x")
        output.line("y")


def test_a_process_without_stdout_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    say(Output(Settings()))
