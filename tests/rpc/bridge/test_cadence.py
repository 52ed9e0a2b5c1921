import itertools
import math

import pytest
from hypothesis import given, strategies as st

from aip_trio.rpc.bridge._cadence import Cadence

INTERVAL = 1.0

#: Changes as the time since the last one, and whether each is urgent.
changes = st.lists(st.tuples(st.floats(0, 3), st.booleans()), min_size=1, max_size=60)


def reports(given_changes: list[tuple[float, bool]]) -> list[tuple[float, int]]:
    """When a shell that keeps to the cadence reports, and how many changes it knows of by then."""
    cadence = Cadence(INTERVAL)
    now = 0.0
    told: list[tuple[float, int]] = []
    for number, (pause, urgent) in enumerate(given_changes):
        until = now + pause
        while cadence.due < until:
            now = max(now, cadence.due)
            cadence.reported(now)
            told.append((now, number))
        now = until
        cadence.changed(urgent=urgent)
    while cadence.due < math.inf:
        now = max(now, cadence.due)
        cadence.reported(now)
        told.append((now, len(given_changes)))
    return told


@given(changes)
def test_the_last_change_is_always_told(given_changes: list[tuple[float, bool]]) -> None:
    assert reports(given_changes)[-1][1] == len(given_changes)


@given(changes)
def test_no_change_waits_longer_than_the_interval(given_changes: list[tuple[float, bool]]) -> None:
    told = reports(given_changes)
    now = 0.0
    for number, (pause, urgent) in enumerate(given_changes):
        now += pause
        first = next(when for when, known in told if known > number)
        assert first - now <= (0.05 if urgent else INTERVAL) + 1e-9


@given(st.lists(st.floats(0, 3), min_size=2, max_size=60))
def test_what_is_not_urgent_is_told_once_in_an_interval(pauses: list[float]) -> None:
    told = [when for when, _ in reports([(pause, False) for pause in pauses])]
    assert all(later - earlier >= INTERVAL - 1e-9 for earlier, later in itertools.pairwise(told))


def test_what_is_urgent_is_told_at_once() -> None:
    cadence = Cadence(100.0)
    cadence.changed()
    cadence.reported(10.0)
    cadence.changed()
    assert cadence.due == 110.0
    cadence.changed(urgent=True)
    assert cadence.due <= 10.05


@pytest.mark.parametrize("urgent", [False, True])
def test_without_a_change_nothing_is_due(urgent: bool) -> None:
    cadence = Cadence(INTERVAL)
    assert cadence.due == math.inf
    cadence.changed(urgent=urgent)
    cadence.reported(5.0)
    assert cadence.due == math.inf
