import re
from collections.abc import Mapping
from enum import Enum, Flag, IntEnum
from typing import Any, assert_type

import attrs
import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import IllegalTransition, InvalidMachine, UsageError
from aip_trio.machine import Machine, Tracker
from tests.machine.doors import DOOR, Door, Model, Push, machine_of, models


class Colour(Enum):
    RED = 1


class Low(IntEnum):
    A = 1
    B = 2


class High(IntEnum):
    A = 1
    B = 2


class Mode(Flag):
    A = 1
    B = 2


SHUT, OPEN, LOCKED, GONE = Door
TABLE = DOOR.table


def but(**rows: Mapping[Any, Any]) -> dict[Any, Mapping[Any, Any]]:
    """The door's table with some rows replaced."""
    return {**TABLE, **{Door[name]: row for name, row in rows.items()}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"name": ""}, "name='' is empty: give the name", id="empty name"),
        pytest.param({"initial": "shut"}, "initial='shut' is no Enum member: declare", id="initial no enum"),
        pytest.param(
            {"initial": GONE}, "initial=Door.GONE is terminal: start in a state", id="initial terminal"
        ),
        pytest.param(
            {"table": {OPEN: {Push.SHUT: SHUT}, LOCKED: {Push.UNLOCK: SHUT}}},
            "initial=Door.SHUT is not in the table: add its row, or start in one of Door.OPEN, Door.LOCKED",
            id="initial not in the table",
        ),
        pytest.param({"table": {}}, "table has no transition: write it as", id="empty table"),
        pytest.param({"table": {SHUT: {}}}, "table has no transition: write it as", id="empty row"),
        pytest.param(
            {"table": but(LOCKED={Push.UNLOCK: "shut"})},
            "Door.LOCKED on Push.UNLOCK: target 'shut' is no member of Door, the enum of initial=Door.SHUT",
            id="target no state",
        ),
        pytest.param(
            {"table": but(LOCKED={Push.UNLOCK: Colour.RED})},
            "target Colour.RED is no member of Door",
            id="target of another enum",
        ),
        pytest.param(
            {"table": {**TABLE, Colour.RED: {Push.OPEN: OPEN}}},
            "state Colour.RED is no member of Door",
            id="state of another enum",
        ),
        pytest.param(
            {"terminal": {GONE, Colour.RED}},
            "terminal state Colour.RED is no member of Door",
            id="terminal of another enum",
        ),
        pytest.param(
            {"table": but(LOCKED={Push.UNLOCK: SHUT, Colour.RED: OPEN})},
            "event Colour.RED is no member of Push, the enum of Push.OPEN: take every event from that one",
            id="event of another enum",
        ),
        pytest.param(
            {"table": but(SHUT={"open": OPEN})}, "event 'open' is no Enum member: declare", id="event no enum"
        ),
        pytest.param(
            {"table": but(GONE={Push.OPEN: OPEN, Push.SHUT: SHUT})},
            "terminal state Door.GONE has transitions on Push.OPEN, Push.SHUT: remove them, or take",
            id="terminal with transitions",
        ),
        pytest.param(
            {"terminal": frozenset[Door]()},
            "state Door.GONE has no way out: add a transition, or declare it terminal",
            id="target without way out",
        ),
        pytest.param({"table": but(LOCKED={})}, "state Door.LOCKED has no way out", id="row without way out"),
        pytest.param(
            {"table": but(SHUT={Push.OPEN: OPEN})},
            "state Door.LOCKED cannot be reached from initial=Door.SHUT: add a transition to it, or remove",
            id="state unreachable",
        ),
        pytest.param(
            {"table": {SHUT: {Push.OPEN: OPEN}, OPEN: {Push.REMOVE: GONE}}},
            "state Door.LOCKED cannot be reached",
            id="member never mentioned",
        ),
        pytest.param(
            {"table": but(OPEN={Push.SHUT: SHUT})},
            "state Door.GONE cannot be reached",
            id="terminal unreachable",
        ),
        pytest.param(
            {"initial": Low.A, "terminal": {High.B}, "table": {Low.A: {Push.OPEN: Low.B}}},
            "terminal state High.B is no member of Low",
            id="equal member of another enum",
        ),
        pytest.param(
            {"initial": Mode.A, "terminal": {Mode.B}, "table": {Mode.A: {Push.OPEN: Mode.A | Mode.B}}},
            "is no member of Mode",
            id="combined flags",
        ),
    ],
)
def test_a_faulty_table_is_refused_with_its_fault_and_a_remedy(changes: dict[str, Any], reason: str) -> None:
    fields: dict[str, Any] = {"name": "door", "initial": SHUT, "terminal": {GONE}, "table": TABLE} | changes
    with pytest.raises(InvalidMachine, match=re.escape(reason)) as raised:
        Machine(**fields)
    assert raised.value.machine == fields["name"]
    assert reason in raised.value.reason


def test_types_are_inferred_from_the_table() -> None:
    assert_type(DOOR, Machine[Door, Push])
    assert_type(DOOR.start(), Tracker[Door, Push])
    assert_type(DOOR.next(SHUT, Push.OPEN), Door)
    assert DOOR.next(SHUT, Push.OPEN) is OPEN


def test_states_events_and_rows_are_in_the_order_of_their_enums() -> None:
    assert DOOR.states == tuple(Door)
    assert DOOR.events == tuple(Push)
    assert list(DOOR.table) == list(Door)
    assert list(DOOR.table[OPEN]) == [Push.SHUT, Push.REMOVE]  # the other way round in the source


def test_every_state_has_a_row_and_terminal_ones_an_empty_one() -> None:
    assert DOOR.table[GONE] == {}
    assert DOOR.terminal == frozenset({GONE})


def test_an_event_that_no_row_mentions_is_an_event_of_the_machine() -> None:
    class Key(Enum):
        TURN = 1
        BREAK = 2

    machine = Machine("key", initial=Low.A, terminal={Low.B}, table={Low.A: {Key.TURN: Low.B}})
    assert machine.events == (Key.TURN, Key.BREAK)
    assert not machine.start().can(Key.BREAK)


def test_a_machine_may_run_for_ever() -> None:
    machine = Machine("pulse", initial=Colour.RED, table={Colour.RED: {Push.OPEN: Colour.RED}})
    tracker = machine.start()
    assert tracker.fire(Push.OPEN) is Colour.RED
    assert not tracker.done


def test_the_table_is_frozen_and_independent_of_what_it_was_made_from() -> None:
    row = {Push.OPEN: Low.B}
    source = {Low.A: row}
    machine = Machine("lock", initial=Low.A, terminal={Low.B}, table=source)
    row[Push.SHUT] = Low.A
    source[Low.B] = {Push.SHUT: Low.A}
    assert machine.table == {Low.A: {Push.OPEN: Low.B}, Low.B: {}}
    assert not machine.start().can(Push.SHUT)
    with pytest.raises(TypeError):
        machine.table[Low.A] = {}  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    with pytest.raises(TypeError):
        machine.table[Low.A][Push.SHUT] = Low.A  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        machine.name = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_machines_compare_by_value_and_can_be_hashed() -> None:
    same = Machine(
        "door", initial=SHUT, terminal={GONE}, table={state: TABLE[state] for state in reversed(Door)}
    )
    other = Machine("door", initial=SHUT, terminal={GONE}, table=but(LOCKED={Push.UNLOCK: OPEN}))
    assert same == DOOR
    assert hash(same) == hash(DOOR)
    assert other != DOOR


def test_next_refuses_an_event_that_the_state_does_not_have() -> None:
    with pytest.raises(IllegalTransition, match="event LOCK is illegal in state OPEN") as raised:
        DOOR.next(OPEN, Push.LOCK)
    assert (raised.value.machine, raised.value.state, raised.value.event) == ("door", OPEN, Push.LOCK)
    assert raised.value.legal == (Push.SHUT, Push.REMOVE)


def test_next_refuses_a_state_that_is_not_the_machines() -> None:
    with pytest.raises(
        UsageError, match=r"'door' has no state Colour.RED: its states are Door.SHUT, Door.OPEN"
    ):
        DOOR.next(Colour.RED, Push.OPEN)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@given(models(), st.data())
def test_next_agrees_with_the_naive_model(model: tuple[Enum, Model, type[Enum]], data: st.DataObject) -> None:
    initial, moves, events = model
    machine = machine_of(initial, moves)
    state = data.draw(st.sampled_from(machine.states))
    event = data.draw(st.sampled_from(list(events)))
    if (state, event) in moves:
        assert machine.next(state, event) is moves[state, event]
    else:
        with pytest.raises(IllegalTransition):
            machine.next(state, event)


@given(models(), st.data())
def test_any_valid_table_becomes_invalid_when_one_end_loses_its_mark(
    model: tuple[Enum, Model, type[Enum]], data: st.DataObject
) -> None:
    machine = machine_of(*model[:2])
    state = data.draw(st.sampled_from(machine.states))
    if state is machine.initial:
        marks, reason = machine.terminal | {state}, "is terminal"
    elif state in machine.terminal:
        marks, reason = machine.terminal - {state}, f"{state.name} has no way out"
    else:
        marks, reason = machine.terminal | {state}, f"{state.name} has transitions"
    with pytest.raises(InvalidMachine, match=reason):
        Machine("drawn", initial=machine.initial, table=machine.table, terminal=marks)
