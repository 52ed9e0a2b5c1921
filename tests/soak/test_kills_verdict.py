"""The judge of the kills sees each kind of fault, and none where there is none."""

from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from soak._kills_verdict import Asked, KillsVerdict, Outcome, judge_kills

#: Of which times each outcome may have run.
RUNS = {
    Outcome.DONE: (1,),
    Outcome.LOST: (0, 1),
    Outcome.TIMEOUT: (0, 1),
    Outcome.UNREACHABLE: (0,),
}


def asked(client: str, number: int, outcome: Outcome = Outcome.DONE, deadline: float = 1.0) -> Asked:
    """A command that ended in time, after the last restart."""
    return Asked(client, number, deadline, outcome, 0.5, ended=10.0)


def judged(commands: list[Asked], journal: list[str], **strays: int) -> KillsVerdict:
    return judge_kills(commands, journal, patience=10.0, restarted=5.0, strays=strays)


@given(st.lists(st.lists(st.sampled_from(list(RUNS)), max_size=5), max_size=4), st.data())
def test_what_may_be_is_no_fault(clients: list[list[Outcome]], data: st.DataObject) -> None:
    commands = [
        asked(f"c{client}", number, outcome)
        for client, outcomes in enumerate(clients)
        for number, outcome in enumerate([*outcomes, Outcome.DONE])
    ]
    journal = [each.id for each in commands for _ in range(data.draw(st.sampled_from(RUNS[each.outcome])))]
    verdict = judged(commands, data.draw(st.permutations(journal)))
    assert verdict.faults == []
    assert verdict.outcomes.total() == len(commands)
    assert verdict.unknown == len(journal) - verdict.outcomes[Outcome.DONE]


COMMANDS = [asked("a", 0), asked("a", 1), asked("b", 0)]
JOURNAL = [each.id for each in COMMANDS]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"outcome": Outcome.UNREACHABLE}, "a.0: ran, and its client was told that it was never sent"),
        (
            {"outcome": Outcome.WRONG, "told": "KeyError"},
            "a.0: ended with neither an answer nor a clear error: Key",
        ),
        (
            {"outcome": Outcome.TIMEOUT, "deadline": 10.0},
            "a.0: timeout after 0.5 s, and the service was never",
        ),
        ({"seconds": 7.0}, "a.0: ended 6.0 s after its deadline"),
        ({"number": 7}, "a: command 7 ended in the place of command 0"),
    ],
)
def test_what_a_client_saw_is_judged(change: dict[str, Any], told: str) -> None:
    verdict = judged([attrs.evolve(COMMANDS[0], **change), *COMMANDS[1:]], JOURNAL)
    assert any(fault.startswith(told) for fault in verdict.faults), verdict.faults


@pytest.mark.parametrize(
    ("journal", "fault"),
    [
        ([*JOURNAL, "a.1"], "a.1: ran 2 times"),
        (JOURNAL[:2], "b.0: was answered, and never ran"),
        ([*JOURNAL, "b.1"], "b.1: ran, and was never asked for"),
    ],
)
def test_what_was_run_is_judged(journal: list[str], fault: str) -> None:
    assert judged(COMMANDS, journal).faults == [fault]


def test_a_client_that_did_not_come_back_is_stuck() -> None:
    before = attrs.evolve(COMMANDS[2], ended=4.0)
    assert judged([*COMMANDS[:2], before], JOURNAL).faults == [
        "b: it has had no answer since the last restart"
    ]


def test_an_answer_that_nobody_waits_for_is_a_second_one() -> None:
    assert judged(COMMANDS, JOURNAL, a=2).faults == [
        "a: 2 answers came to nothing that it had asked, or for the second time"
    ]
