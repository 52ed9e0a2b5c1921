"""Calls an endpoint's extensions, beside the actors that have work to do."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence

import trio

from aip_trio.errors import InvalidSpec
from aip_trio.extensions._base import AIPExtension
from aip_trio.extensions._queue import Budget, Call, CallQueue
from aip_trio.messages import WireModel

__all__ = ["ExtensionCalls"]

logger = logging.getLogger("aip_trio.extensions")

#: For one extension: calls that may wait for one connection, and bytes of messages for all.
_CALLS, _BYTES = 256, 16 * 1024 * 1024


class ExtensionCalls:
    """Each extension has a queue for each connection, and a task of its own where that is not empty.

    So its calls are in order for each ``endpoint_id``, and neither its errors nor its slowness concern
    anybody else. ``patience``: seconds that a hook may take, then it is cancelled. Raises InvalidSpec.
    """

    def __init__(self, extensions: Sequence[AIPExtension], *, patience: float = 30.0) -> None:
        for extension in extensions:
            if not isinstance(extension, AIPExtension):
                raise InvalidSpec("extensions", extension, "give objects whose class is an AIPExtension")
        self._extensions = [(extension, Budget(_BYTES)) for extension in extensions]
        self._patience = patience
        self._queues: dict[tuple[int, str], CallQueue] = {}
        self._nursery: trio.Nursery | None = None
        self._closed = False
        self._idle = trio.Event()
        self._idle.set()
        #: extensions and hooks whose failure the log has told
        self._told: set[tuple[str, str]] = set()

    def __bool__(self) -> bool:
        return bool(self._extensions)

    # What happens

    def sent(self, endpoint_id: str, message: WireModel, size: int) -> None:
        """A message goes out to that endpoint, or from it. As all of these, no checkpoint."""
        for number, (extension, _) in enumerate(self._extensions):
            self._put(number, endpoint_id, (extension.on_message_sent, (message,), "on_message_sent", size))

    def received(self, endpoint_id: str, message: WireModel, size: int) -> None:
        """A message has come."""
        for number, (extension, _) in enumerate(self._extensions):
            hook = extension.on_message_received
            self._put(number, endpoint_id, (hook, (message,), "on_message_received", size))

    def established(self, endpoint_id: str) -> None:
        """It is registered."""
        for number, (extension, _) in enumerate(self._extensions):
            hook = extension.on_connection_established
            self._put(number, endpoint_id, (hook, (endpoint_id,), "on_connection_established", 0))

    def closed(self, endpoint_id: str) -> None:
        """Its connection has gone."""
        for number, (extension, _) in enumerate(self._extensions):
            hook = extension.on_connection_closed
            self._put(number, endpoint_id, (hook, (endpoint_id,), "on_connection_closed", 0))

    def failed(self, endpoint_id: str, error: Exception) -> None:
        """Something went wrong on its connection."""
        context = f"connection of {endpoint_id}" if endpoint_id else "a connection that is not registered"
        for number, (extension, _) in enumerate(self._extensions):
            self._put(number, endpoint_id, (extension.on_error, (error, context), "on_error", 0))

    # The tasks

    def open(self, nursery: trio.Nursery) -> None:
        """Call them from tasks in here. What has waited is called now."""
        self._nursery, self._closed = nursery, False
        for key, queue in self._queues.items():
            self._start(key, queue)

    async def close(self, patience: float) -> None:
        """Wait until all has been called, so many seconds at most. Nothing is called later. A checkpoint."""
        with trio.move_on_after(patience):
            await self._idle.wait()
        self._nursery, self._closed = None, True
        for queue in self._queues.values():
            queue.clear()

    def _put(self, number: int, endpoint_id: str, call: Call) -> None:
        if self._closed:
            return
        key = number, endpoint_id
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = CallQueue(_CALLS, self._extensions[number][1])
            if self._nursery is not None:
                self._start(key, queue)
        if not queue.put(call) and queue.dropped == 1:
            logger.warning("%s is too slow: calls for %r are dropped", self._name(number), endpoint_id)

    def _start(self, key: tuple[int, str], queue: CallQueue) -> None:
        assert self._nursery is not None
        if self._idle.is_set():
            self._idle = trio.Event()
        self._nursery.start_soon(self._run, key, queue)

    async def _run(self, key: tuple[int, str], queue: CallQueue) -> None:  # noqa: ASYNC910 - internal
        owner = self._name(key[0])
        try:
            while queue:
                hook, facts, name, _ = queue.take()
                await self._call(owner, name, hook, facts)
        finally:
            queue.clear()
            if queue.dropped:
                logger.warning("%s missed %d calls for %r", owner, queue.dropped, key[1])
            del self._queues[key]
            if not self._queues:
                self._idle.set()

    def _name(self, number: int) -> str:
        return type(self._extensions[number][0]).__name__

    async def _call(  # noqa: ASYNC910 - internal
        self,
        owner: str,
        name: str,
        hook: Callable[..., Awaitable[object] | None],
        facts: tuple[object, ...],
    ) -> None:
        try:
            answer = hook(*facts)
            if inspect.isawaitable(answer):
                with trio.move_on_after(self._patience) as patience:
                    await answer
                if patience.cancelled_caught:
                    logger.error("%s.%s was cancelled after %g s", owner, name, self._patience)
        except Exception as error:
            first = (owner, name) not in self._told
            self._told.add((owner, name))
            level = logging.ERROR if first else logging.DEBUG
            logger.log(level, "%s.%s failed; this is logged once", owner, name, exc_info=error)
