import re
from enum import Enum
from itertools import pairwise

from hypothesis import given

from aip_trio.machine import Machine
from tests.machine.doors import DOOR, Model, enum_of, machine_of, models


class Go(Enum):
    GO = 1


def test_a_machine_is_drawn_in_the_order_of_its_enums() -> None:
    assert DOOR.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> SHUT",
        "    SHUT --> OPEN : OPEN",
        "    SHUT --> LOCKED : LOCK",
        "    OPEN --> SHUT : SHUT",
        "    OPEN --> GONE : REMOVE",
        "    LOCKED --> SHUT : UNLOCK",
        "    GONE --> [*]",
    ]


def test_events_between_the_same_two_states_share_an_arrow() -> None:
    class State(Enum):
        A = 1
        B = 2

    class Event(Enum):
        X = 1
        Y = 2
        Z = 3

    machine = Machine(
        "shared",
        initial=State.A,
        terminal={State.B},
        table={State.A: {Event.Z: State.B, Event.Y: State.A, Event.X: State.B}},
    )
    assert machine.mermaid().splitlines()[2:4] == ["    A --> B : X / Z", "    A --> A : Y"]


def test_names_that_mermaid_would_misread_become_labels() -> None:
    states = enum_of("State", ["idle", "End", "in use", 'a"b', "state_1"])
    events = enum_of("Event", ["go:now;", "next"])
    members, (go, following) = list(states), events
    machine = Machine(
        "odd",
        initial=members[0],
        terminal={members[-1]},
        table={state: {go: target, following: members[0]} for state, target in pairwise(members)},
    )
    assert machine.mermaid().splitlines() == [
        "stateDiagram-v2",
        '    state "End" as state_1_',
        '    state "in use" as state_2',
        '    state "a#34;b" as state_3',
        "    [*] --> idle",
        "    idle --> state_1_ : go#58;now#59;",
        "    idle --> idle : next",
        "    state_1_ --> state_2 : go#58;now#59;",
        "    state_1_ --> idle : next",
        "    state_2 --> state_3 : go#58;now#59;",
        "    state_2 --> idle : next",
        "    state_3 --> state_1 : go#58;now#59;",
        "    state_3 --> idle : next",
        "    state_1 --> [*]",
    ]


@given(models())
def test_every_transition_and_no_other_is_drawn(model: tuple[Enum, Model, type[Enum]]) -> None:
    initial, moves, _ = model
    first, *arrows = machine_of(initial, moves).mermaid().splitlines()[1:]
    assert first == f"    [*] --> {initial.name}"
    drawn = [
        (state, event, target)
        for state, target, label in re.findall(
            r"^    (\w+) --> (\w+) : (.+)$", "\n".join(arrows), re.MULTILINE
        )
        for event in label.split(" / ")
    ]
    assert sorted(drawn) == sorted((s.name, e.name, t.name) for (s, e), t in moves.items())
    pairs = {(s, t) for (s, _), t in moves.items()}
    ends = {target for target in moves.values() if not any(state is target for state, _ in moves)}
    assert len(arrows) == len(pairs) + len(ends)
