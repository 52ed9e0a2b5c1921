import signal

import pytest

from aip_trio.cli._errors import CannotBegin, Interrupted, OutcomeUnknown, OutputClosed
from aip_trio.cli._failures import describe, leaves, report_failure, status_of
from aip_trio.errors import ActorStopped, AipError, InvalidOption, NoSystem, StartFailed

BAD = InvalidOption("root", "/nope", "does not exist: give one that does")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BAD, 2),
        (NoSystem("ask()"), 2),
        (ExceptionGroup("", [BAD]), 2),
        (CannotBegin("nobody answers"), 2),
        (OutcomeUnknown("nobody said"), 3),
        (ExceptionGroup("", [OutcomeUnknown("nobody said")]), 3),
        (StartFailed("/a", BAD), 2),
        (StartFailed("/a", StartFailed("/a/b", KeyError())), 1),
        (ActorStopped("/a"), 1),
        (ExceptionGroup("", [BAD, ActorStopped("/a")]), 1),
        (FileNotFoundError(2, "No such file or directory", "x"), 1),
        (KeyError("x"), 1),
        (Interrupted(signal.SIGINT), 130),
        (Interrupted(signal.SIGTERM), 143),
        (OutputClosed(), 141),
    ],
)
def test_each_failure_has_its_exit_status(error: Exception, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (BAD, "root='/nope' does not exist: give one that does"),
        (FileNotFoundError(2, "No such file or directory", "x"), "'x': No such file or directory"),
        (OSError("odd"), "odd"),
        (AipError(), "AipError"),
        (InvalidOption("a", "b\n", "is\nbad"), r"a='b\n' is\nbad"),
    ],
)
def test_a_failure_is_one_line(error: Exception, line: str) -> None:
    assert describe(error) == line


def test_an_unexpected_error_says_how_to_see_more() -> None:
    assert "unexpected KeyError: 'x'" in describe(KeyError("x"))
    assert "--debug" in describe(KeyError("x"))


def test_every_error_of_a_group_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    second = AipError("two")
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [BAD, second]), StartFailed("/a", BAD)])
    assert list(leaves(group)) == [BAD, second, BAD]
    assert report_failure(group, debug=False) == 1
    assert capsys.readouterr().err.splitlines() == [f"aip-trio: error: {BAD}", "aip-trio: error: two"]


def test_debug_shows_the_traceback_before_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(BAD, debug=True) == 2
    lines = capsys.readouterr().err.splitlines()
    assert "InvalidOption" in lines[-2]
    assert lines[-1] == f"aip-trio: error: {BAD}"


@pytest.mark.parametrize("error", [Interrupted(signal.SIGINT), OutputClosed()])
def test_nothing_is_said_of_an_end_that_the_user_wanted(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    report_failure(error, debug=True)
    assert capsys.readouterr().err == ""
