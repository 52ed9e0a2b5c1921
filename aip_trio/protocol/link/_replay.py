"""Messages of one side, until the peer has acknowledged them."""

from __future__ import annotations

import attrs

from aip_trio.protocol.link._limits import LinkLimits

__all__ = ["BATCH_BYTES", "BATCH_MESSAGES", "Batch", "Replay"]

#: What goes into one frame at most; a larger message goes alone.
BATCH_MESSAGES = 256
BATCH_BYTES = 65536


@attrs.define(eq=False)
class Batch:
    """Messages that go in one frame: the number of the first, and how many bytes they are."""

    first: int
    messages: list[bytes]
    size: int

    @property
    def last(self) -> int:
        """The number of the last message."""
        return self.first + len(self.messages) - 1


class Replay:
    """The bounded buffer that a session sends from. Messages are numbered from 1, in the order of `offer`.

    A message is queued, then on its way in a batch; it stays until it is acknowledged. `again` puts back what
    was on its way. A batch that is sent again is the one that it was, unless a part of it has arrived.
    """

    __slots__ = (
        "_flying",
        "_limits",
        "_next",
        "_queue",
        "_queued_bytes",
        "_waiting",
        "acknowledged",
        "kept_bytes",
        "kept_messages",
    )

    def __init__(self, limits: LinkLimits) -> None:
        self._limits = limits
        # Lists: empty ones take 56 bytes, empty deques 760, and a server has thousands of idle links.
        self._queue: list[bytes] = []  # not in a batch yet
        self._queued_bytes = 0
        self._waiting: list[Batch] = []  # to be sent again
        self._flying: list[Batch] = []
        self._next = 1  # the number of the queue's first
        #: the highest number that the peer has acknowledged
        self.acknowledged = 0
        #: what is held
        self.kept_messages = 0
        self.kept_bytes = 0

    def offer(self, data: bytes) -> bool:
        """Take a message, unless there is no room."""
        size = len(data)
        limits, kept = self._limits, self.kept_messages
        if kept and (kept >= limits.kept_messages or self.kept_bytes + size > limits.kept_bytes):
            return False
        self._queue.append(data)
        self._queued_bytes += size
        self.kept_bytes += size
        self.kept_messages = kept + 1
        return True

    @property
    def pending(self) -> bool:
        """Whether there is something to send."""
        return bool(self._queue or self._waiting)

    @property
    def numbered(self) -> int:
        """The highest number that was ever sent."""
        return self._next - 1

    @property
    def queued(self) -> int:
        """How many messages wait to be sent."""
        return len(self._queue) + sum(len(batch.messages) for batch in self._waiting)

    def next_batch(self) -> Batch | None:
        """What to send next; from now on it is on its way."""
        if self._waiting:
            batch = self._waiting.pop(0)
        elif self._queue:
            batch = self._gather()
        else:
            return None
        self._flying.append(batch)
        return batch

    def _gather(self) -> Batch:
        queue = self._queue
        if len(queue) <= BATCH_MESSAGES and self._queued_bytes <= BATCH_BYTES:
            messages, size = queue, self._queued_bytes
            self._queue = []
        else:
            count, size = 1, len(queue[0])
            while count < min(len(queue), BATCH_MESSAGES) and size + len(queue[count]) <= BATCH_BYTES:
                size += len(queue[count])
                count += 1
            messages = queue[:count]
            del queue[:count]
        self._queued_bytes -= size
        batch = Batch(self._next, messages, size)
        self._next += len(messages)
        return batch

    def unsure(self, batch: Batch) -> None:
        """Whether the last batch has gone nobody knows: it is sent again."""
        if self._flying and self._flying[-1] is batch:
            self._waiting.insert(0, self._flying.pop())

    def again(self) -> None:
        """All that is on its way has to be sent again."""
        self._waiting[:0] = self._flying
        self._flying = []

    def release(self, number: int) -> bool:
        """The peer has all up to this number. Returns whether that makes room."""
        if number <= self.acknowledged:
            return False
        self.acknowledged = number
        for batches in (self._flying, self._waiting):
            while batches and batches[0].last <= number:
                batch = batches.pop(0)
                self._forget(len(batch.messages), batch.size)
            if batches and batches[0].first <= number:
                self._trim(batches[0], number)
        return True

    def _trim(self, batch: Batch, number: int) -> None:
        """A part of a batch has arrived: no peer of ours acknowledges so, but it may."""
        arrived = number - batch.first + 1
        size = sum(map(len, batch.messages[:arrived]))
        del batch.messages[:arrived]
        batch.first += arrived
        batch.size -= size
        self._forget(arrived, size)

    def _forget(self, messages: int, size: int) -> None:
        self.kept_messages -= messages
        self.kept_bytes -= size
