"""Messages that have come over a link, and the one task that takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import trio
from trio.lowlevel import Abort, RaiseCancelT, Task, current_task, reschedule, wait_task_rescheduled

from aip_trio.errors import TransportBusy
from aip_trio.protocol.link._limits import LinkLimits

__all__ = ["Inbox"]

T = TypeVar("T")


class Inbox:
    """A bounded queue between the task that reads and the one that receives.

    What has been put is never lost by a cancelled `get`.
    """

    __slots__ = ("_awaited", "_bytes", "_end", "_limits", "_putter", "_queue", "_taker")

    def __init__(self, limits: LinkLimits) -> None:
        self._limits = limits
        self._queue: list[bytes] = []  # an empty deque takes 760 bytes
        self._bytes = 0
        self._awaited = False  # from the call until it has what it waited for
        self._taker: Task | None = None
        self._putter: Task | None = None
        self._end: Callable[[], BaseException] | None = None

    @property
    def full(self) -> bool:
        """Whether to wait for `room` before anything more is read."""
        return len(self._queue) >= self._limits.unread_messages or self._bytes >= self._limits.unread_bytes

    @property
    def ready(self) -> bool:
        """Whether a take need not wait."""
        return bool(self._queue) or self._end is not None

    def put(self, messages: list[bytes]) -> None:
        """Add messages; after the end they are dropped."""
        if self._end is None:
            self._queue.extend(messages)
            self._bytes += sum(map(len, messages))
            self.nudge()

    async def room(self) -> None:
        """Wait until it is not `full`. A checkpoint."""
        if not self.full:
            await trio.lowlevel.checkpoint()
            return
        self._putter = current_task()
        await wait_task_rescheduled(self._abort_put)

    async def get(self, call: str, take: Callable[[], T]) -> T:
        """``take`` from what is `ready`. A checkpoint; raises TransportBusy where a task waits."""
        if self._awaited:
            raise TransportBusy(call)
        await trio.lowlevel.checkpoint_if_cancelled()
        got = take()
        await trio.lowlevel.cancel_shielded_checkpoint()
        return got

    async def wait(self, call: str) -> None:
        """Wait until it is `ready`, or `nudge` is called. A checkpoint; raises TransportBusy as `get`."""
        if self._awaited:
            raise TransportBusy(call)
        self._awaited = True
        self._taker = current_task()
        try:
            await wait_task_rescheduled(self._abort_take)
        finally:
            self._awaited = False

    def take(self) -> bytes:
        """The next message; after the last, what `end` was given is raised."""
        if not self._queue:
            raise self._error()
        message = self._queue.pop(0)
        self._bytes -= len(message)
        if self._putter is not None and not self.full:
            self._let_in()
        return message

    def take_all(self) -> list[bytes]:
        """All messages, else as `take`."""
        if not self._queue:
            raise self._error()
        messages, self._queue = self._queue, []
        self._bytes = 0
        self._let_in()
        return messages

    def _error(self) -> BaseException:
        assert self._end is not None
        return self._end()

    def end(self, error: Callable[[], BaseException], *, drop: bool = False) -> None:
        """No more messages: what there is can be taken, unless ``drop``; then an ``error()`` is raised."""
        self._end = error
        if drop:
            self._queue.clear()
            self._bytes = 0
        self._let_in()
        self.nudge()

    def _let_in(self) -> None:
        if self._putter is not None:
            task, self._putter = self._putter, None
            reschedule(task)

    def nudge(self) -> None:
        """Let the task that waits look how things stand."""
        if self._taker is not None:
            task, self._taker = self._taker, None
            reschedule(task)

    def _abort_take(self, _: RaiseCancelT) -> Abort:
        self._taker = None
        return Abort.SUCCEEDED

    def _abort_put(self, _: RaiseCancelT) -> Abort:
        self._putter = None
        return Abort.SUCCEEDED
