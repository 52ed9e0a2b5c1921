"""A state machine written as a table."""

from collections.abc import Mapping, Set
from enum import Enum
from types import MappingProxyType
from typing import Generic, TypeVar

import attrs

from ..errors import InvalidMachine, UsageError
from ._faults import faults, show
from ._mermaid import draw
from ._tracker import Place, Tracker, linked

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


@attrs.frozen
class Machine(Generic[S, E]):
    """States, events, and which event leads from which state to which.

    ::

        DOOR = Machine(
            "door",
            initial=Door.SHUT,
            terminal={Door.GONE},
            table={
                Door.SHUT: {Push.OPEN: Door.OPEN, Push.REMOVE: Door.GONE},
                Door.OPEN: {Push.SHUT: Door.SHUT},
            },
        )

    States are the members of one Enum and events those of another. Every state must be reachable from
    ``initial``; the terminal states, and they alone, have no transition (they need no row). An event no
    row mentions is allowed: it is illegal everywhere. Immutable, and compared by value.

    ``table`` then has a row for every state, ``{}`` for a terminal one; ``states`` and ``events`` are all
    members of the two enums; all of them in the order of definition.

    :raises InvalidMachine: the table contradicts itself; the text says where, and what to do
    """

    name: str
    initial: S = attrs.field(kw_only=True)
    table: Mapping[S, Mapping[E, S]] = attrs.field(kw_only=True, hash=False)
    terminal: Set[S] = attrs.field(kw_only=True, default=frozenset())
    states: tuple[S, ...] = attrs.field(init=False, repr=False, eq=False)
    events: tuple[E, ...] = attrs.field(init=False, repr=False, eq=False)
    _places: dict[S, Place[S, E]] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        for fault in faults(self.name, self.initial, self.terminal, self.table):
            raise InvalidMachine(self.name, fault)
        states = tuple(type(self.initial))
        events = tuple(type(next(event for row in self.table.values() for event in row)))
        table = _ordered(self.table, states, events)
        self._set(states=states, events=events, table=table)
        self._set(terminal=frozenset(self.terminal), _places=linked(table))

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def start(self) -> Tracker[S, E]:
        """A new walk, in the initial state."""
        return Tracker(self.name, self._places[self.initial])

    def next(self, state: S, event: E) -> S:
        """The state that an event leads to.

        :raises IllegalTransition: the table has no such event in that state
        :raises UsageError: no such state
        """
        place = self._place(state)
        way = place.ways.get(event)
        if way is None:
            raise place.refusal(self.name, event)
        return way.state

    def _place(self, state: S) -> Place[S, E]:
        place = self._places.get(state)
        if place is None:
            names = ", ".join(map(show, self.states))
            raise UsageError(f"machine {self.name!r} has no state {show(state)}: its states are {names}")
        return place

    def mermaid(self) -> str:
        """The machine as the text of a Mermaid ``stateDiagram-v2``, the same for equal machines.

        Events that lead from one state to the same other one share an arrow, their names joined by a slash.
        """
        return draw(self.initial, self.table)


def _ordered(
    table: Mapping[S, Mapping[E, S]], states: tuple[S, ...], events: tuple[E, ...]
) -> Mapping[S, Mapping[E, S]]:
    """A read-only copy with a row for every state, all in the order of the enums."""
    empty: Mapping[E, S] = {}
    rows: dict[S, Mapping[E, S]] = {}
    for state in states:
        row = table.get(state, empty)
        rows[state] = MappingProxyType({event: row[event] for event in events if event in row})
    return MappingProxyType(rows)
