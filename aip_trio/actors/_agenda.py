"""What a supervisor is doing, one step after another, and what waits until it has done it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Generic, TypeVar

import attrs

from aip_trio.actors._actions import Rest
from aip_trio.actors._child import Child, ChildEvent, ChildState
from aip_trio.actors._roster import Roster

__all__ = ["Agenda", "Item"]

C = TypeVar("C", bound=Child)


@attrs.frozen(eq=False)
class Item:
    """Something to be done when its turn comes; ``refuse`` instead, if the supervisor's end comes first.

    ``call``: whose it is, so that it can be taken back.
    """

    perform: Callable[[], None]
    refuse: Callable[[], None]
    call: Hashable | None = None


@attrs.define(eq=False)
class _Sequence(Generic[C]):
    """Steps one after another: stop these, then start those, then do what follows."""

    stops: deque[C]
    starts: deque[C]
    then: Callable[[], None]
    awaited: set[C] = attrs.field(factory=lambda: set[C]())


class Agenda(Generic[C]):
    """One sequence of steps at a time, and a queue behind it, until it is closed."""

    def __init__(self, roster: Roster[C]) -> None:
        self.closed = False
        self._roster = roster
        self._sequence: _Sequence[C] | None = None
        self._queue: deque[Item] | None = None  # while nothing waits: an empty deque takes 760 bytes

    @property
    def clear(self) -> bool:
        """Whether nothing is under way, and nothing waits."""
        return self._sequence is None and not self._queue

    @property
    def awaited(self) -> Collection[C]:
        """The children whose starts or ends the sequence waits for."""
        return self._sequence.awaited if self._sequence is not None else ()

    # The sequence

    def run(self, stops: Iterable[C], starts: Iterable[C], then: Callable[[], None]) -> None:
        """Stop these, one after another; then start those; then do what follows."""
        self._sequence = _Sequence(deque(stops), deque(starts), then)
        self._advance()

    def stop_together(self, children: Collection[C], then: Callable[[], None]) -> None:
        """Stop these, all at once; then do what follows."""
        self._sequence = _Sequence(deque(), deque(), then, set(children))
        for child in children:
            self._roster.stop(child)
        self._advance()

    def stepped(self, child: C) -> None:
        """What was begun with a child is done: go on, if the sequence waited for that."""
        if self._sequence is not None and child in self._sequence.awaited:
            self._sequence.awaited.discard(child)
            self._advance()

    def drop(self) -> None:
        """Leave the sequence where it is."""
        self._sequence = None

    def cut_short(self) -> None:
        """Start no more than what is starting: those that were still to be started rest."""
        assert self._sequence is not None
        for child in self._sequence.starts:
            if child.state is ChildState.RESTARTING:  # the one whose end began it
                child.life.fire(ChildEvent.STOP)
            if child.state is ChildState.IDLE:
                self._roster.out.append(Rest(child))
        self._sequence.starts.clear()

    def _advance(self) -> None:
        """Take steps until one has to be waited for."""
        while (sequence := self._sequence) is not None and not sequence.awaited:
            if sequence.stops:
                self._step_stop(sequence, sequence.stops.popleft())
            elif sequence.starts:
                self._step_start(sequence, sequence.starts.popleft())
            else:
                self._sequence = None
                sequence.then()
                self._drain()

    def _step_stop(self, sequence: _Sequence[C], child: C) -> None:
        if child.active:
            sequence.awaited.add(child)
            self._roster.stop(child)
        elif child.state is ChildState.RESTARTING:
            child.life.fire(ChildEvent.STOP)

    def _step_start(self, sequence: _Sequence[C], child: C) -> None:
        if child.state in (ChildState.IDLE, ChildState.RESTARTING):
            sequence.awaited.add(child)
            self._roster.start(child)

    # The queue

    def add(self, item: Item) -> None:
        """Do it when its turn comes: behind the sequence, if there is one, and what waits already."""
        if self.closed:
            item.refuse()
        else:
            if self._queue is None:
                self._queue = deque()
            self._queue.append(item)
            self._drain()

    def _drain(self) -> None:
        """Deal with what waits, until a sequence is under way."""
        while self._queue and self._sequence is None:
            self._queue.popleft().perform()
        if not self._queue:
            self._queue = None

    def take_back(self, call: Hashable) -> None:
        """Whoever called does not want it any more."""
        self._queue = deque(item for item in self._queue or () if item.call is not call) or None

    def close(self) -> None:
        """Refuse what waits, and all that is still to come."""
        self.closed = True
        queue, self._queue = self._queue, None
        for item in queue or ():
            item.refuse()
