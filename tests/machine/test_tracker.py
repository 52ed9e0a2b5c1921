from enum import Enum

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import IllegalTransition
from tests.machine.doors import DOOR, Door, Model, Push, machine_of, models


def test_a_tracker_starts_in_the_initial_state() -> None:
    tracker = DOOR.start()
    assert tracker.state is Door.SHUT
    assert tracker.legal == (Push.OPEN, Push.LOCK)
    assert not tracker.done


def test_fire_moves_on_and_returns_the_new_state() -> None:
    tracker = DOOR.start()
    assert tracker.fire(Push.LOCK) is Door.LOCKED
    assert tracker.state is Door.LOCKED


def test_an_illegal_event_is_refused_and_leaves_the_state() -> None:
    tracker = DOOR.start()
    tracker.fire(Push.LOCK)
    with pytest.raises(IllegalTransition) as raised:
        tracker.fire(Push.OPEN)
    error = raised.value
    assert (error.machine, error.state, error.event, error.legal) == (
        "door",
        Door.LOCKED,
        Push.OPEN,
        (Push.UNLOCK,),
    )
    assert str(error) == "machine 'door': event OPEN is illegal in state LOCKED; legal here: UNLOCK"
    assert error.__suppress_context__  # the KeyError of the lookup tells nobody anything
    assert tracker.state is Door.LOCKED


def test_nothing_is_legal_in_a_terminal_state() -> None:
    tracker = DOOR.start()
    tracker.fire(Push.OPEN)
    tracker.fire(Push.REMOVE)
    assert tracker.done
    assert tracker.legal == ()
    assert not any(tracker.can(event) for event in Push)
    with pytest.raises(IllegalTransition, match="the state is terminal"):
        tracker.fire(Push.OPEN)


def test_trackers_of_one_machine_do_not_share_their_state() -> None:
    one, other = DOOR.start(), DOOR.start()
    one.fire(Push.OPEN)
    assert other.state is Door.SHUT


def test_a_tracker_tells_its_machine_and_state() -> None:
    assert repr(DOOR.start()) == "<Tracker of 'door' in SHUT>"


@given(models(), st.data())
def test_a_walk_agrees_with_the_naive_model(
    model: tuple[Enum, Model, type[Enum]], data: st.DataObject
) -> None:
    state, moves, events = model
    tracker = machine_of(state, moves).start()
    for event in data.draw(st.lists(st.sampled_from(list(events)), max_size=30)):
        legal = tuple(each for each in events if (state, each) in moves)
        assert tracker.legal == legal
        assert tracker.done == (not legal)
        assert tracker.can(event) == (event in legal)
        if event in legal:
            state = moves[state, event]
            assert tracker.fire(event) is state
        else:
            with pytest.raises(IllegalTransition):
                tracker.fire(event)
        assert tracker.state is state
