"""A bounded memory channel with one taker: messages wait here for their actor."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING

from trio.lowlevel import (
    Abort,
    RaiseCancelT,
    Task,
    current_task,
    enable_ki_protection,
    reschedule,
    wait_task_rescheduled,
)

from aip_trio.actors._answer import Answer

if TYPE_CHECKING:
    from aip_trio.actors._envelope import Envelope

__all__ = ["Mailbox", "Overflow"]

#: The limit of a closed mailbox: no length is below it.
_CLOSED = -1

#: The queue of every mailbox that is empty, and whose taker waits; it never holds anything. An empty deque of
#: its own would take 760 bytes, which is a tenth of an idle actor.
_NOTHING: deque[Envelope] = deque(maxlen=0)


class Overflow(Enum):
    """What a full mailbox does with one more message."""

    WAIT = "wait"  #: tell waits for room (backpressure); tell_nowait raises MailboxFull
    REJECT = "reject"  #: MailboxFull
    DROP_OLDEST = "drop_oldest"  #: the one that waited longest goes to dead letters
    DROP_NEWEST = "drop_newest"  #: the new one goes to dead letters


class Mailbox:
    """Envelopes in order of arrival, the task that takes them, and the tasks that wait for room.

    Unlike a Trio memory channel it has no closing ends: it outlives its taker, so that messages stay
    over a restart; and waking the taker needs no message, so that a stop never queues behind them.
    """

    __slots__ = ("_noted", "_putters", "_spared", "_taker", "capacity", "limit", "overflow", "queue")

    def __init__(self, capacity: int, overflow: Overflow) -> None:
        self.capacity = capacity
        self.overflow = overflow
        self.queue: deque[Envelope] = _NOTHING
        self.limit = capacity
        self._spared = 0
        self._taker: Task | None = None
        self._putters: OrderedDict[Answer[bool], Envelope] | None = None
        self._noted: set[Envelope] | None = None

    @property
    def closed(self) -> bool:
        """Whether it takes no messages."""
        return self.limit == _CLOSED

    @property
    def depth(self) -> int:
        """How many messages wait, those of tasks that wait for room included."""
        return len(self.queue) + (len(self._putters) if self._putters else 0)

    @property
    def waiting(self) -> Iterator[Envelope]:
        """All of them."""
        yield from self.queue
        yield from (self._putters or {}).values()

    @property
    def crowded(self) -> bool:
        """Whether somebody waits for room."""
        return bool(self._putters)

    @enable_ki_protection
    def put(self, envelope: Envelope) -> None:
        """Add a message without asking for room: the caller has checked, or is the runtime."""
        if self.queue is _NOTHING:
            self.queue = deque()
        self.queue.append(envelope)
        if self._taker is not None:
            self.wake()

    @enable_ki_protection
    async def put_when_room(self, envelope: Envelope, taken: Answer[bool]) -> bool:
        """Wait for room, in order of arrival. A checkpoint; False: it was closed, or ``taken`` says so."""
        if self._putters is None:
            self._putters = OrderedDict()
        self._putters[taken] = envelope
        try:
            return await taken.wait()
        finally:
            self._putters.pop(taken, None)

    @enable_ki_protection
    def take(self) -> Envelope:
        """The next message; the one that waited longest for room moves up. IndexError: none is there."""
        envelope = self.queue.popleft()
        if self._putters:
            self._admit()
        if self._noted:
            self._noted.discard(envelope)
        return envelope

    def note(self, envelope: Envelope) -> None:
        """Keep in mind whether this message still waits."""
        if self._noted is None:
            self._noted = set()
        self._noted.add(envelope)

    def has(self, envelope: Envelope) -> bool:
        """Whether a message that was noted still waits."""
        return self._noted is not None and envelope in self._noted

    def sweep(self) -> list[Envelope]:
        """Make room of the requests whose askers have gone, first for those that wait for it."""
        gone = [envelope for envelope in self.queue if envelope.withdrawn]
        if gone:
            kept = [envelope for envelope in self.queue if not envelope.withdrawn]
            self.queue.clear()
            self.queue.extend(kept)
            self._admit()
        return gone

    def sweep_now_and_then(self) -> list[Envelope]:
        """The same for each of many senders: after a look in vain, as many of them are spared."""
        if self._spared:
            self._spared -= 1
            return []
        gone = self.sweep()
        if not gone:
            self._spared = len(self.queue)
        return gone

    def _admit(self) -> None:
        while self._putters and len(self.queue) < self.limit:
            taken, envelope = self._putters.popitem(last=False)
            if not (taken.settled or taken.withdrawn):  # else its task has not run since
                if self.queue is _NOTHING:
                    self.queue = deque()
                self.queue.append(envelope)
                taken.send(True)

    @enable_ki_protection
    async def wait(self) -> None:
        """Wait until a message is there, or `wake` is called. A checkpoint."""
        if not self.queue:
            self.queue = _NOTHING
        self._taker = current_task()
        await wait_task_rescheduled(self._abort_wait)

    def _abort_wait(self, _: RaiseCancelT) -> Abort:
        self._taker = None
        return Abort.SUCCEEDED

    @enable_ki_protection
    def wake(self) -> None:
        """Wake the task that waits in `wait`, if one does."""
        if self._taker is not None:
            task, self._taker = self._taker, None
            reschedule(task)

    def reopen(self) -> None:
        """Take messages again."""
        self.limit = self.capacity

    @enable_ki_protection
    def close(self, bury: Callable[[Envelope], None]) -> None:
        """Take no more messages, give up what waits, and tell those who wait for room."""
        self.limit = _CLOSED
        self._noted = None
        while self.queue:
            bury(self.queue.popleft())
        while self._putters:
            taken, _ = self._putters.popitem(last=False)
            taken.send(False)
