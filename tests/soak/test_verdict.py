"""The judge of the soak sees each kind of fault, and none where there is none."""

from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from soak._verdict import Ended, judge, read_journal


def journal_of(ends: list[Ended]) -> list[str]:
    """The lines of a device that did as it was told, in the first attempt."""
    return [
        f"{word} {end.stream} {end.task} 1 {number}\n"
        for end in ends
        for number in range(end.commands)
        for word in ("begin", "done")
    ]


def good_end(stream: str, task: int, commands: int) -> Ended:
    return Ended(stream, task, 1, commands, None, list(range(commands)), 0.1)


ENDS = [good_end("a.dev.0", 0, 2), good_end("a.dev.0", 1, 3), good_end("b.dev.0", 0, 1)]


@given(st.lists(st.lists(st.integers(1, 4), max_size=4), max_size=3), st.booleans())
def test_what_was_done_as_it_was_asked_is_good(streams: list[list[int]], exactly_once: bool) -> None:
    ends = [
        good_end(f"o.dev.{stream}", task, commands)
        for stream, tasks in enumerate(streams)
        for task, commands in enumerate(tasks)
    ]
    verdict = judge(ends, read_journal(journal_of(ends)), exactly_once=exactly_once)
    assert verdict.faults == []
    assert (verdict.tasks, verdict.commands) == (len(ends), sum(map(sum, streams)))
    assert (verdict.failed, verdict.doubled, verdict.broken_off) == (0, 0, 0)


@given(st.data())
def test_any_line_that_is_missing_doubled_or_moved_is_a_fault(data: st.DataObject) -> None:
    lines = journal_of(ENDS)
    where = data.draw(st.integers(0, len(lines) - 1))
    match data.draw(st.sampled_from(["missing", "doubled", "moved"])):
        case "missing":
            del lines[where]
        case "doubled":
            lines.insert(data.draw(st.integers(0, len(lines))), lines[where])
        case _:
            swapped = [each for each in range(len(lines)) if _may_swap(lines, where, each)]
            if not swapped:
                return
            other = data.draw(st.sampled_from(swapped))
            lines[where], lines[other] = lines[other], lines[where]
    assert judge(ENDS, read_journal(lines), exactly_once=True).faults


def _may_swap(lines: list[str], one: int, other: int) -> bool:
    """Whether two lines of one stream and one kind change places, so that their order says something else."""
    (word, stream, *rest), (other_word, other_stream, *others) = lines[one].split(), lines[other].split()
    return word == other_word and stream == other_stream and rest != others


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"error": "device_disconnected"}, "task 0: failed after 0.1 s: device_disconnected"),
        ({"results": [1, 0]}, "its results are [1, 0], not 0 to 1"),
        ({"results": [0]}, "its results are [0], not 0 to 1"),
        ({"task": 7}, "task 7: ended in the place of task 0"),
        ({"commands": 1, "results": [0]}, "command 1 was never asked for"),
    ],
)
def test_what_an_orchestrator_saw_is_judged(change: dict[str, Any], told: str) -> None:
    ends = [attrs.evolve(ENDS[0], **change), *ENDS[1:]]
    verdict = judge(ends, read_journal(journal_of(ENDS)), exactly_once=True)
    assert any(told in fault for fault in verdict.faults), verdict.faults


def test_a_link_that_cannot_help_it_may_run_a_command_in_two_attempts() -> None:
    ends = [attrs.evolve(ENDS[0], attempts=2)]
    lines = [
        *["begin a.dev.0 0 1 0\n", "done a.dev.0 0 1 0\n", "begin a.dev.0 0 1 1\n"],
        *[line.replace(" 0 1 ", " 0 2 ") for line in journal_of(ENDS[:1])],
    ]
    verdict = judge(ends, read_journal(lines), exactly_once=False)
    assert verdict.faults == []
    assert (verdict.doubled, verdict.broken_off, verdict.attempts) == (1, 1, 2)
    assert len(judge(ends, read_journal(lines), exactly_once=True).faults) == 2


def test_an_attempt_that_comes_after_a_later_one_is_out_of_order() -> None:
    lines = journal_of(ENDS[:1])
    late = [*(line.replace(" 0 1 ", " 0 2 ") for line in lines), *lines]
    (fault,) = judge([ENDS[0]], read_journal(late), exactly_once=False).faults
    assert fault == "a.dev.0, task 0: command 0 of attempt 1 began too late"


def test_half_a_line_is_no_line() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        read_journal(["begin a.dev.0 0\n"])
