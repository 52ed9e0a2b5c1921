"""Where the many conversations stand that pass through one protocol object."""

from enum import Enum
from typing import Generic, TypeVar

from aip_trio.errors import IllegalTransition
from aip_trio.machine import Machine

__all__ = ["NO_STEP", "Conversations", "Step"]

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


class Step:
    """A step of a conversation, made before its message goes out: the answer may come before send returns."""

    __slots__ = ()

    def undo(self) -> None:
        """The message was not sent: back to where it stood, unless others have followed."""

    def forget(self) -> None:
        """Nobody knows whether the message was sent."""


NO_STEP = Step()


class _Place(Generic[S]):
    """Where a conversation stands since one step; no other step has the same."""

    __slots__ = ("state",)

    def __init__(self, state: S) -> None:
        self.state = state


class _Taken(Step, Generic[S]):
    """A step from one place to another."""

    __slots__ = ("_before", "_key", "_place", "_places")

    def __init__(
        self, places: dict[str, _Place[S]], key: str, before: _Place[S] | None, place: _Place[S]
    ) -> None:
        self._places = places
        self._key = key
        self._before = before
        self._place = place

    def undo(self) -> None:
        if self._places.get(self._key) is self._place:
            self.forget()
            if self._before is not None:
                self._places[self._key] = self._before

    def forget(self) -> None:
        if self._places.get(self._key) is self._place:
            del self._places[self._key]


class Conversations(Generic[S, E]):
    """The state of each conversation of one machine, by the key that its messages carry.

    Not more than ``limit`` are remembered, those last touched: the peer makes up the keys.
    """

    def __init__(self, machine: Machine[S, E], limit: int = 1024) -> None:
        self._machine = machine
        self._limit = limit
        self._places: dict[str, _Place[S]] = {}

    def state(self, key: str) -> S | None:
        """Where it stands, or None where nothing of it was seen, or so long ago that it is forgotten."""
        place = self._places.get(key)
        return None if place is None else place.state

    def open(self, key: str) -> Step:
        """It begins, or begins again."""
        return self._put(key, self._machine.initial)

    def fire(self, key: str, *events: E, joins: S, strict: bool = True) -> Step:
        """Move it by these events: all, or none.

        One that is not known is joined where the events make sense, in the state ``joins``; unless
        ``strict``, so is one in which they do not.

        :raises IllegalTransition: as the machine's table has it
        """
        known = self.state(key)
        try:
            after = self._after(joins if known is None else known, events)
        except IllegalTransition:
            if strict or known is None:
                raise
            after = self._after(joins, events)
        return self._put(key, after)

    def _after(self, state: S, events: tuple[E, ...]) -> S:
        for event in events:
            state = self._machine.next(state, event)
        return state

    def _put(self, key: str, state: S) -> Step:
        places = self._places
        before = places.pop(key, None)
        places[key] = place = _Place(state)
        if len(places) > self._limit:
            del places[next(iter(places))]
        return _Taken(places, key, before, place)
