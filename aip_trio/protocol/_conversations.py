"""Where the many conversations stand that pass through one protocol object."""

from collections.abc import Callable
from enum import Enum
from typing import Generic, TypeVar

import attrs

from aip_trio.errors import IllegalTransition
from aip_trio.machine import Machine

__all__ = ["NO_STEP", "Conversations", "Step"]

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def _nothing() -> None:
    pass


@attrs.frozen(eq=False)
class Step:
    """A step of a conversation, made before its message goes out: the answer may come before send returns."""

    #: the message was not sent: back to where it stood, unless others have followed
    undo: Callable[[], None] = _nothing
    #: nobody knows whether the message was sent
    forget: Callable[[], None] = _nothing


NO_STEP = Step()


@attrs.frozen(eq=False)
class _Place(Generic[S]):
    state: S


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
        before = self._places.pop(key, None)
        place = self._places[key] = _Place(state)
        if len(self._places) > self._limit:
            del self._places[next(iter(self._places))]

        def undo() -> None:
            if self._places.get(key) is place:
                forget()
                if before is not None:
                    self._places[key] = before

        def forget() -> None:
            if self._places.get(key) is place:
                del self._places[key]

        return Step(undo, forget)
