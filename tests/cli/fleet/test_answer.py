import io
from typing import Any

import pytest
from rich.console import Console

from aip_trio.cli.fleet._answer import Answer

RESULTS: list[dict[str, Any]] = [
    {"tool_name": "list_files", "status": "success", "error": None, "result": {"entries": [1]}},
    {"tool_name": "x\x1b", "status": "failure", "error": "no tool", "result": None},
]


def answer(result: object = None, error: str | None = None) -> Answer:
    return Answer(
        task_id="t",
        device="lab",
        completed=error is None,
        error=error,
        result=result,
        log=("1 of 2",),
        seconds=0.5,
    )


def shown(given: Answer) -> str:
    screen = io.StringIO()
    Console(file=screen, width=80).print(given.picture())
    return screen.getvalue()


def test_results_of_commands_are_rows() -> None:
    given = answer(RESULTS, "1 of 2 commands failed")
    assert list(given.lines()) == [
        "1  list_files  success",
        "    entries:",
        "      - 1",
        r"2  x\x1b  failure",
        "    no tool",
        "failed on lab in 0.50 s: 1 of 2 commands failed",
    ]
    assert given.data() == {
        "task_id": "t",
        "device": "lab",
        "status": "failed",
        "error": "1 of 2 commands failed",
        "results": RESULTS,
        "result": None,
        "log": ["1 of 2"],
        "seconds": 0.5,
    }
    assert "list_files │ success │ entries:" in shown(given)


def test_a_failed_command_may_have_a_result_all_the_same() -> None:
    failed = {
        "tool_name": "run_program",
        "status": "failure",
        "error": "exit status 3",
        "result": {"out": "x"},
    }
    lines = list(answer([failed], "1 of 1 commands failed").lines())
    assert lines[:3] == ["1  run_program  failure", "    exit status 3", "    out: x"]


@pytest.mark.parametrize("result", ["text", {"a": 1}, [1, 2], [{"tool_name": "x"}]])
def test_a_result_of_another_kind_is_shown_as_it_is(result: object) -> None:
    given = answer(result)
    assert given.data()["results"] == []
    assert given.data()["result"] == result
    assert next(iter(given.lines())) == "1  task  completed"
    assert "task" in shown(given)


def test_without_a_result_it_is_told_how_far_it_came() -> None:
    given = answer(error="device_disconnected: the device was lost while it worked")
    told = [
        "1 of 2",
        "failed on lab in 0.50 s: device_disconnected: the device was lost while it worked",
    ]
    assert list(given.lines()) == told
    assert shown(given).splitlines()[0] == told[0]
    assert given.data()["results"] == []
    assert "│" not in shown(given)


def test_a_terminal_gets_the_first_lines_of_a_long_result() -> None:
    long = [{**RESULTS[0], "result": list(range(100))}]
    assert "… and 80 more lines: --json has all" in shown(answer(long))
    assert len(list(answer(long).lines())) == 102
