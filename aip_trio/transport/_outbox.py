"""Frames that go out, in order and whole."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import attrs
import trio

__all__ = ["Outbox", "Parcel"]


#: A slow peer has its time for each so many bytes.
_PIECE = 65536


@attrs.define(eq=False)
class Parcel:
    """Bytes that wait to be written."""

    data: bytes | memoryview
    begun: bool = False
    written: bool = False
    _settled: trio.Event = attrs.field(factory=trio.Event, init=False)

    def settle(self, *, written: bool) -> None:
        self.written = written
        self._settled.set()

    async def wait(self) -> None:
        await self._settled.wait()


class Outbox:
    """Writes to a stream for any number of tasks, in the order of their calls, and never part of a frame.

    Where the stream is a plain socket, the sending task writes by itself, as much as the system takes. The
    rest is written by a task in ``nursery``, where the sender's cancellation does not reach: a frame that has
    begun is finished. Other streams (TLS) do not say how much they have written when they are cancelled: all
    that goes through them is written by that task.

    ``broken`` is called when the stream is; nothing is written after it.
    """

    __slots__ = (
        "_broken",
        "_busy",
        "_closed",
        "_lot",
        "_moved",
        "_nursery",
        "_queue",
        "_running",
        "_scope",
        "_socket",
        "_stream",
    )

    def __init__(self, stream: trio.abc.Stream, nursery: trio.Nursery, broken: Callable[[], object]) -> None:
        self._stream = stream
        self._socket = stream.socket if isinstance(stream, trio.SocketStream) else None
        self._nursery = nursery
        self._broken = broken
        self._queue: deque[Parcel] = deque()
        self._moved = trio.current_time()  # when the stream last took something
        self._busy = False  # somebody writes, or what waits is about to be written
        self._running = False
        self._closed = False
        self._lot = trio.lowlevel.ParkingLot()
        self._scope: trio.CancelScope | None = None

    @property
    def stuck_since(self) -> float:
        """Since when the peer has taken nothing of what waits for it; infinity: nothing waits."""
        return self._moved if self._queue else math.inf

    async def write(self, data: bytes) -> None:
        """Write a frame, and wait until the system has it. A checkpoint.

        Cancelled: nothing of it was written, or all of it will be. Raises BrokenResourceError.
        """
        if self._socket is None or self._busy:
            await self._written(self.put(data))
            return
        rest = await self._write_now(self._socket, data)
        if rest is not None:
            await self._written(rest)

    async def _write_now(self, socket: trio.socket.SocketType, data: bytes) -> Parcel | None:
        """Write what can be written at once; what is left is at the head of the queue."""
        if self._closed:
            raise trio.BrokenResourceError
        self._busy = True
        rest = None
        try:
            sent = await socket.send(data)
            self._moved = trio.current_time()
            if sent < len(data):
                rest = Parcel(memoryview(data)[sent:], begun=True)
                self._queue.appendleft(rest)
        except (OSError, trio.ClosedResourceError) as error:
            self._fail()
            raise trio.BrokenResourceError from error
        finally:
            self._busy = False
            if self._queue and not self._closed:
                self._wake()
        return rest

    def put(self, data: bytes, instead_of: Parcel | None = None) -> Parcel:
        """Have a frame written, without waiting: for control frames, of which ever only a few wait.

        It takes the place of another that has not begun. Where nothing is written any more it is dropped.
        """
        if instead_of is not None and not instead_of.begun:
            instead_of.data = data
            return instead_of
        parcel = Parcel(data)
        if self._closed:
            parcel.settle(written=False)
            return parcel
        if not self._queue:
            self._moved = trio.current_time()
        self._queue.append(parcel)
        if not self._busy:
            self._wake()
        return parcel

    async def _written(self, parcel: Parcel) -> None:
        try:
            await parcel.wait()
        except trio.Cancelled:
            if not parcel.begun and not self._closed:
                self._queue.remove(parcel)
            raise
        if not parcel.written:
            raise trio.BrokenResourceError

    def _wake(self) -> None:
        """Have the queue written."""
        self._busy = True
        if self._running:
            self._lot.unpark()
        else:
            self._running = True
            self._nursery.start_soon(self._run)

    async def _run(self) -> None:  # noqa: ASYNC910 - not called from outside
        """The task that writes. On a plain socket it is seldom needed, and ends when it has nothing to do."""
        try:
            with trio.CancelScope() as self._scope:
                await self._drain()
                while self._socket is None and not self._closed:
                    await self._lot.park()
                    await self._drain()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._fail()
        finally:
            self._running = False

    async def _drain(self) -> None:  # noqa: ASYNC910 - not called from outside
        while self._queue:
            parcel = self._queue[0]
            parcel.begun = True
            self._moved = trio.current_time()
            data = memoryview(parcel.data)
            for start in range(0, len(data), _PIECE):
                await self._stream.send_all(data[start : start + _PIECE])
                if self._closed:  # meanwhile, and it has settled the parcel
                    return
                self._moved = trio.current_time()
            self._queue.popleft()
            parcel.settle(written=True)
        self._busy = False

    def _fail(self) -> None:
        if not self._closed:
            self.close()
            self._broken()

    def close(self) -> None:
        """Write no more; who waits is told."""
        self._closed = True
        if self._scope is not None:
            self._scope.cancel()
        while self._queue:
            self._queue.popleft().settle(written=False)
