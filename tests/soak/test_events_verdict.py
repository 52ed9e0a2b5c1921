"""The judge of the events sees what is lost, doubled, out of order or unsaid."""

from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from soak._events_verdict import EventsVerdict, Heard, Tally, judge_events

GOOD = Heard("a", 100, 0, 0, 100, 10.0, {"worst": 0.1}, [])
STOPPED = Heard("z", 70, 2, 30, 100, 10.0, {"worst": 9.0}, [])


def judged(*heard: Heard, replayed: int = 5, memory: float = 1.0) -> EventsVerdict:
    return judge_events(
        heard, events=100, stopped="z", replayed=replayed, delay=1.0, memory=memory, bound=2.0
    )


def test_all_events_in_order_and_gaps_that_are_told_are_good() -> None:
    verdict = judged(GOOD, STOPPED)
    assert (verdict.faults, verdict.missed, verdict.replayed) == ([], 30, 5)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"delivered": 99}, "a: 99 events came and 0 are told as lost, of 100"),
        ({"delivered": 90, "missing": 10}, "a: 10 events are lost, though it was never stopped"),
        ({"last": 99, "delivered": 100}, "a: the last it knows of is event 99, not 100"),
        ({"delays": {"worst": 3.0}}, "a: an event took 3.0 s"),
        ({"faults": ["event 3 came where 2 was due"]}, "a: event 3 came where 2 was due"),
    ],
)
def test_a_subscriber_that_was_not_stopped_has_all(change: dict[str, Any], fault: str) -> None:
    assert judged(attrs.evolve(GOOD, **change), STOPPED).faults == [fault]


def test_one_that_missed_nothing_was_not_stopped_long_enough() -> None:
    whole = attrs.evolve(STOPPED, delivered=100, missing=0)
    assert judged(GOOD, whole, replayed=0).faults == ["z has missed nothing: stop it for longer"]
    assert judged(GOOD, whole, replayed=1).faults == []


def test_memory_is_bounded() -> None:
    assert judged(GOOD, STOPPED, memory=3.0).faults == ["the service has grown by 3 MiB, more than 2"]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20)), max_size=10))
def test_a_tally_counts_events_and_gaps_that_follow_each_other(parts: list[tuple[bool, int]]) -> None:
    tally = Tally()
    number = 0
    for is_gap, count in parts:
        if is_gap:
            tally.gap(number + 1, number + count)
        else:
            for each in range(number + 1, number + count + 1):
                tally.event(each)
        number += count
    assert tally.faults == []
    assert (tally.delivered, tally.missing) == tuple(
        sum(count for is_gap, count in parts if is_gap is wanted) for wanted in (False, True)
    )
    assert tally.last == number


@given(st.permutations(range(1, 6)))
def test_a_tally_sees_any_other_order(order: list[int]) -> None:
    tally = Tally()
    for number in order:
        tally.event(number)
    assert bool(tally.faults) == (order != sorted(order))


@given(st.integers(1, 10), st.integers(0, 12))
def test_a_tally_sees_a_gap_that_is_not_the_one(first: int, last: int) -> None:
    tally = Tally()
    tally.event(1)
    tally.event(2)
    tally.gap(first, last)
    assert bool(tally.faults) == (first != 3 or last < 3)
