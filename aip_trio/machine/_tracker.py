"""One walk through a machine's table."""

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

import attrs

from ..errors import IllegalTransition

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


@attrs.define(eq=False, repr=False)
class Place(Generic[S, E]):
    """A state with its ways out, each leading straight to the next place: a step is one dict lookup."""

    state: S
    ways: dict[E, "Place[S, E]"]

    @property
    def legal(self) -> tuple[E, ...]:
        return tuple(self.ways)

    def refusal(self, machine: str, event: E) -> IllegalTransition:
        return IllegalTransition(machine, self.state, event, self.legal)


def linked(table: Mapping[S, Mapping[E, S]]) -> dict[S, Place[S, E]]:
    """The places of a table that has a row for every state."""
    places: dict[S, Place[S, E]] = {state: Place(state, {}) for state in table}
    for state, row in table.items():
        places[state].ways.update((event, places[target]) for event, target in row.items())
    return places


class Tracker(Generic[S, E]):
    """Where one object stands in its machine. Made by `Machine.start`.

    Synchronous throughout; nothing here is a checkpoint.
    """

    __slots__ = ("_machine", "_place")

    def __init__(self, machine: str, place: Place[S, E]) -> None:
        self._machine = machine
        self._place = place

    @property
    def state(self) -> S:
        """The state it is in."""
        return self._place.state

    @property
    def legal(self) -> tuple[E, ...]:
        """The events that may be fired now, in the order of their enum; empty in a terminal state."""
        return self._place.legal

    @property
    def done(self) -> bool:
        """Whether it is in a terminal state, which nothing leaves."""
        return not self._place.ways

    def can(self, event: E) -> bool:
        """Whether the event may be fired now."""
        return event in self._place.ways

    def fire(self, event: E) -> S:
        """Move on by an event and return the new state.

        :raises IllegalTransition: the table has no such event in this state, which stays as it is
        """
        try:
            self._place = place = self._place.ways[event]
        except KeyError:
            raise self._place.refusal(self._machine, event) from None
        return place.state

    def __repr__(self) -> str:
        return f"<Tracker of {self._machine!r} in {self._place.state.name}>"
