"""A machine to test with, and a strategy for any other."""

from collections.abc import Callable
from enum import Enum
from typing import cast

from hypothesis import strategies as st

from aip_trio.machine import Machine


class Door(Enum):
    SHUT = "shut"
    OPEN = "open"
    LOCKED = "locked"
    GONE = "gone"


class Push(Enum):
    OPEN = "open"
    SHUT = "shut"
    LOCK = "lock"
    UNLOCK = "unlock"
    REMOVE = "remove"


DOOR = Machine(
    "door",
    initial=Door.SHUT,
    terminal={Door.GONE},
    table={
        Door.SHUT: {Push.OPEN: Door.OPEN, Push.LOCK: Door.LOCKED},
        Door.OPEN: {Push.REMOVE: Door.GONE, Push.SHUT: Door.SHUT},
        Door.LOCKED: {Push.UNLOCK: Door.SHUT},
    },
)

Model = dict[tuple[Enum, Enum], Enum]
"""The naive model of a machine: where each (state, event) leads."""


def enum_of(name: str, members: list[str]) -> type[Enum]:
    """An enum whose members' names are known only now."""
    make = cast("Callable[[str, list[str]], type[Enum]]", Enum)
    return make(name, members)


@st.composite
def models(draw: st.DrawFn) -> tuple[Enum, Model, type[Enum]]:
    """Initial state, moves and events of a valid machine of up to 6 states and 4 events."""
    targets = st.dictionaries(st.integers(0, 3), st.integers(0, 5))
    rows = [draw(targets.filter(bool)), *(draw(targets) for _ in range(5))]
    reached = [0]
    for state in reached:
        reached.extend(target for target in dict.fromkeys(rows[state].values()) if target not in reached)
    names = draw(st.permutations([f"s{state}" for state in reached]))
    states = enum_of("States", names)
    events = enum_of("Events", ["e0", "e1", "e2", "e3"])
    moves: Model = {
        (states[f"s{state}"], events[f"e{event}"]): states[f"s{target}"]
        for state in reached
        for event, target in rows[state].items()
    }
    return states["s0"], moves, events


def machine_of(initial: Enum, moves: Model) -> Machine[Enum, Enum]:
    """The machine of a model. Its terminal states are those that nothing leaves."""
    table: dict[Enum, dict[Enum, Enum]] = {}
    for (state, event), target in moves.items():
        table.setdefault(state, {})[event] = target
    terminal = {target for target in moves.values() if target not in table}
    return Machine("drawn", initial=initial, table=table, terminal=terminal)
