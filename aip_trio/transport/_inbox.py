"""Messages that have come, and the one task that takes them."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import trio
from trio.lowlevel import Abort, RaiseCancelT, Task, current_task, reschedule, wait_task_rescheduled

from aip_trio.errors import TransportBusy
from aip_trio.transport._codec import Message

__all__ = ["Inbox"]

#: Beyond either of these nothing more is read from the peer.
_MESSAGES = 64
_BYTES = 1024 * 1024


@attrs.define(eq=False)
class _Getter:
    """A task that waits, and what it gets; nothing: the end."""

    task: Task
    message: Message | None = None


class Inbox:
    """A bounded queue between the task that reads a connection and the one that receives.

    A message goes straight to the task that waits. What has been put is never lost by a cancelled `get`.
    """

    __slots__ = ("_bytes", "_end", "_getter", "_putter", "_queue")

    def __init__(self) -> None:
        self._queue: list[Message] = []  # of a few; an empty deque takes ten times its room
        self._bytes = 0
        self._getter: _Getter | None = None
        self._putter: Task | None = None
        self._end: Callable[[], BaseException] | None = None

    @property
    def empty(self) -> bool:
        """Whether there is no message."""
        return not self._queue

    @property
    def awaited(self) -> bool:
        """Whether a task waits for a message."""
        return self._getter is not None

    @property
    def full(self) -> bool:
        """Whether to wait for `room` before anything more is read."""
        return len(self._queue) >= _MESSAGES or self._bytes >= _BYTES

    def put(self, message: Message) -> bool:
        """Add a message; after the end it is dropped. Returns whether a task waited for it."""
        if self._getter is not None:
            self._getter.message = message
            self._wake_getter()
            return True
        if self._end is None:
            self._queue.append(message)
            self._bytes += len(message[0])
        return False

    async def room(self) -> None:
        """Wait until it is not `full`. A checkpoint."""
        if not self.full:
            await trio.lowlevel.checkpoint()
            return
        self._putter = current_task()
        await wait_task_rescheduled(self._abort_put)

    async def get(self) -> Message:
        """The next message; after the last, what `end` was given is raised. A checkpoint."""
        if self._getter is not None:
            raise TransportBusy("receive()")
        if self._queue:
            await trio.lowlevel.checkpoint_if_cancelled()
            message = self._take()
            await trio.lowlevel.cancel_shielded_checkpoint()
            return message
        if self._end is not None:
            raise self._end()
        self._getter = getter = _Getter(current_task())
        await wait_task_rescheduled(self._abort_get)
        if getter.message is None:
            assert self._end is not None
            raise self._end()
        return getter.message

    def _take(self) -> Message:
        message = self._queue.pop(0)
        self._bytes -= len(message[0])
        if self._putter is not None and not self.full:
            self._let_in()
        return message

    def _let_in(self) -> None:
        if self._putter is not None:
            task, self._putter = self._putter, None
            reschedule(task)

    def end(self, error: Callable[[], BaseException], *, drop: bool = False) -> None:
        """No more messages: who receives gets what there is, unless ``drop``, and then an ``error()``."""
        self._end = error
        if drop:
            self._queue.clear()
            self._bytes = 0
        self._let_in()
        self._wake_getter()

    def _wake_getter(self) -> None:
        if self._getter is not None:
            getter, self._getter = self._getter, None
            reschedule(getter.task)

    def _abort_get(self, _: RaiseCancelT) -> Abort:
        self._getter = None
        return Abort.SUCCEEDED

    def _abort_put(self, _: RaiseCancelT) -> Abort:
        self._putter = None
        return Abort.SUCCEEDED
