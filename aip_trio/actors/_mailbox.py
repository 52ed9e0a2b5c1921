"""A bounded memory channel with one taker: messages wait here for their actor."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from trio.lowlevel import Abort, RaiseCancelT, Task, current_task, reschedule, wait_task_rescheduled

from aip_trio.actors._answer import Answer

if TYPE_CHECKING:
    from aip_trio.actors._envelope import Envelope

__all__ = ["Mailbox", "Overflow"]

#: The limit of a closed mailbox: no length is below it.
_CLOSED = -1


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

    __slots__ = ("_putters", "_spared", "_taker", "capacity", "limit", "overflow", "queue")

    def __init__(self, capacity: int, overflow: Overflow) -> None:
        self.capacity = capacity
        self.overflow = overflow
        self.queue: deque[Envelope] = deque()
        self.limit = capacity
        self._spared = 0
        self._taker: Task | None = None
        self._putters: OrderedDict[Answer[bool], Envelope] | None = None

    @property
    def closed(self) -> bool:
        """Whether it takes no messages."""
        return self.limit == _CLOSED

    @property
    def depth(self) -> int:
        """How many messages wait, those of tasks that wait for room included."""
        return len(self.queue) + (len(self._putters) if self._putters else 0)

    def put(self, envelope: Envelope) -> None:
        """Add a message without asking for room: the caller has checked, or is the runtime."""
        self.queue.append(envelope)
        if self._taker is not None:
            self.wake()

    async def put_when_room(self, envelope: Envelope) -> bool:
        """Wait for room, in order of arrival. A checkpoint; False where it was closed meanwhile."""
        if self._putters is None:
            self._putters = OrderedDict()
        taken: Answer[bool] = Answer()
        self._putters[taken] = envelope
        try:
            return await taken.wait()
        finally:
            self._putters.pop(taken, None)

    def take(self) -> Envelope:
        """The next message; the one that waited longest for room moves up. IndexError: none is there."""
        envelope = self.queue.popleft()
        if self._putters:
            self._admit()
        return envelope

    def sweep(self) -> list[Envelope]:
        """Make room of the requests whose askers have gone, first for those that wait for it.

        After a look in vain the next ones are spared, so that a full mailbox costs each sender little.
        """
        if self._spared:
            self._spared -= 1
            return []
        gone = [envelope for envelope in self.queue if envelope.withdrawn]
        if gone:
            kept = [envelope for envelope in self.queue if not envelope.withdrawn]
            self.queue.clear()
            self.queue.extend(kept)
            self._admit()
        else:
            self._spared = len(self.queue)
        return gone

    def _admit(self) -> None:
        while self._putters and len(self.queue) < self.limit:
            taken, envelope = self._putters.popitem(last=False)
            if not taken.withdrawn:
                self.queue.append(envelope)
                taken.send(True)

    async def wait(self) -> None:
        """Wait until a message is there, or `wake` is called. A checkpoint."""
        self._taker = current_task()
        await wait_task_rescheduled(self._abort_wait)

    def _abort_wait(self, _: RaiseCancelT) -> Abort:
        self._taker = None
        return Abort.SUCCEEDED

    def wake(self) -> None:
        """Wake the task that waits in `wait`, if one does."""
        if self._taker is not None:
            task, self._taker = self._taker, None
            reschedule(task)

    def reopen(self) -> None:
        """Take messages again."""
        self.limit = self.capacity

    def close(self, bury: Callable[[Envelope], None]) -> None:
        """Take no more messages, give up what waits, and tell those who wait for room."""
        self.limit = _CLOSED
        while self.queue:
            bury(self.queue.popleft())
        while self._putters:
            taken, _ = self._putters.popitem(last=False)
            taken.send(False)
