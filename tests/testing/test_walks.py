from collections.abc import Sequence
from enum import Enum

import pytest
from hypothesis import Phase, find, given, settings, strategies as st

from aip_trio.machine import Machine
from aip_trio.testing import Edge, every_edge, walks
from tests.machine.doors import DOOR, Door, Model, Push, enum_of, machine_of, models

SHRUNK = settings(database=None, derandomize=True, max_examples=2000)
FOUND = settings(SHRUNK, phases=[Phase.generate])


def end_of(walk: Sequence[Push]) -> Door:
    tracker = DOOR.start()
    for event in walk:
        if tracker.can(event):
            tracker.fire(event)
    return tracker.state


def chain(length: int) -> Machine[Enum, Enum]:
    """States in a row. In each, one of five events leads on, another one in each."""
    states = list(enum_of("Chain", [f"s{number}" for number in range(length + 1)]))
    events = list(enum_of("Event", ["a", "b", "c", "d", "e"]))
    table = {states[number]: {events[number * 2 % 5]: states[number + 1]} for number in range(length)}
    return Machine("chain", initial=states[0], terminal={states[-1]}, table=table)


@given(models(), st.integers(0, 20), st.data())
def test_a_walk_is_events_of_the_machine_and_no_longer_than_allowed(
    model: tuple[Enum, Model, type[Enum]], max_steps: int, data: st.DataObject
) -> None:
    machine = machine_of(*model[:2])
    walk = data.draw(walks(machine, max_steps=max_steps))
    assert len(walk) <= max_steps
    assert set(walk) <= set(machine.events)


@pytest.mark.parametrize("edge", every_edge(DOOR), ids=str)
def test_every_edge_is_found_and_shrinks_to_a_shortest_walk(edge: Edge[Door, Push]) -> None:
    def tries(walk: tuple[Push, ...]) -> bool:
        return any(
            event is edge.event and end_of(walk[:step]) is edge.state for step, event in enumerate(walk)
        )

    assert find(walks(DOOR), tries, settings=SHRUNK) == edge.walk


def test_walks_come_far_where_most_events_are_illegal() -> None:
    machine = chain(25)  # at random, 64 events of which a fifth is legal come half as far

    def comes_to_the_end(walk: tuple[Enum, ...]) -> bool:
        tracker = machine.start()
        for event in walk:
            if tracker.can(event):
                tracker.fire(event)
        return tracker.done

    assert len(find(walks(machine), comes_to_the_end, settings=FOUND)) >= 25


def test_walks_mix_legal_and_illegal_events() -> None:
    def mixed(walk: tuple[Push, ...]) -> bool:
        legal = [event in DOOR.table[end_of(walk[:step])] for step, event in enumerate(walk)]
        return legal.count(True) >= 8 and legal.count(False) >= 8

    assert len(find(walks(DOOR), mixed, settings=FOUND)) >= 16


def test_walks_use_the_steps_they_are_given() -> None:
    assert len(find(walks(DOOR), lambda walk: len(walk) == 64, settings=FOUND)) == 64
    assert find(walks(DOOR, max_steps=1), bool, settings=SHRUNK) == (Push.OPEN,)
