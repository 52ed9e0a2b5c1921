"""Frames that go out, in order and whole."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import trio

from aip_trio.transport._plain import plain, write

__all__ = ["Outbox", "Parcel"]

#: A slow peer has its time for each so many bytes.
_PIECE = 65536
#: Seconds that it has where more waits for it than may.
_PATIENCE = 5.0


@attrs.define(eq=False)
class Parcel:
    """Bytes that wait to be written."""

    data: bytes | memoryview
    begun: bool = False
    written: bool = False
    _settled: bool = attrs.field(default=False, init=False)
    #: made when first used: nobody waits for a ping, and each connection remembers its last one
    _awaited: trio.Event | None = attrs.field(default=None, init=False)

    def settle(self, *, written: bool) -> None:
        self.begun = self._settled = True  # whatever became of it: it does not wait any more
        self.written = written
        if self._awaited is not None:
            self._awaited.set()

    async def wait(self) -> None:
        if self._settled:
            await trio.lowlevel.checkpoint()
            return
        if self._awaited is None:
            self._awaited = trio.Event()
        await self._awaited.wait()


class Outbox:
    """Writes to a stream for any number of tasks, in the order of their calls, and never part of a frame.

    Where the stream is a plain socket, the sending task writes by itself, as much as the system takes. The
    rest is written by a task in ``nursery``, where the sender's cancellation does not reach: a frame that has
    begun is finished. Other streams (TLS) do not say how much they have written when they are cancelled: all
    that goes through them is written by that task.

    ``broken`` is called when the stream is; nothing is written after it. ``most``: bytes that may wait for a
    peer that takes hardly any; ``crowded`` is called when there are more, see `hopeless_at`.
    """

    __slots__ = (
        "_broken",
        "_busy",
        "_closed",
        "_crowded",
        "_lot",
        "_most",
        "_moved",
        "_nursery",
        "_queue",
        "_running",
        "_scope",
        "_socket",
        "_stream",
        "waiting",
    )

    def __init__(
        self,
        stream: trio.abc.Stream,
        nursery: trio.Nursery,
        broken: Callable[[], object],
        *,
        most: float = math.inf,
        crowded: Callable[[], object] | None = None,
    ) -> None:
        self._stream = stream
        self._socket = plain(stream)
        self._nursery = nursery
        self._broken = broken
        self._most = most
        self._crowded = crowded
        #: bytes of the frames that wait, the one that is being written included
        self.waiting = 0
        self._queue: list[Parcel] = []  # an empty deque takes ten times its room
        self._moved = trio.current_time()  # when the stream last took something
        self._busy = False  # what waits is being written, or about to be
        self._running = False
        self._closed = False
        self._lot = trio.lowlevel.ParkingLot() if self._socket is None else None  # where `_run` waits
        self._scope: trio.CancelScope | None = None

    @property
    def stuck_since(self) -> float:
        """Since when the peer has taken nothing of what waits for it; infinity: nothing waits."""
        return self._moved if self._queue else math.inf

    @property
    def hopeless_at(self) -> float:
        """When the peer is not worth waiting for, if it takes nothing until then: more waits than may.

        Infinity: it is not as bad as that.
        """
        return self._moved + _PATIENCE if self.waiting > self._most else math.inf

    @property
    def idle(self) -> bool:
        """Whether a frame can be handed to the system at once, past nobody."""
        return self._socket is not None and not self._busy

    async def write(self, data: bytes) -> None:
        """Write a frame, and wait until the system has it. A checkpoint.

        Cancelled: nothing of it was written, or all of it will be. Raises BrokenResourceError.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        rest = self.write_now(data)
        if rest is None:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await self._written(rest)

    def write_now(self, data: bytes) -> Parcel | None:
        """Write what can be written at once; the rest, which is returned, is about to be. Not a checkpoint.

        Raises BrokenResourceError.
        """
        if self._socket is None or self._busy:
            return self.put(data)
        if self._closed:
            raise trio.BrokenResourceError
        try:
            sent = write(self._socket, data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._fail()
            raise trio.BrokenResourceError from error
        if sent == len(data):
            return None
        self._moved = trio.current_time()
        rest = Parcel(memoryview(data)[sent:], begun=sent > 0)
        self._queue.append(rest)
        self._count(len(rest.data))
        self._wake()
        return rest

    def put(self, data: bytes, instead_of: Parcel | None = None) -> Parcel:
        """Have a frame written, without waiting: for control frames, of which ever only a few wait.

        It takes the place of another that has not begun. Where nothing is written any more it is dropped.
        """
        if instead_of is not None and not instead_of.begun:
            self.waiting += len(data) - len(instead_of.data)
            instead_of.data = data
            return instead_of
        parcel = Parcel(data)
        if self._closed:
            parcel.settle(written=False)
            return parcel
        if not self._queue:
            self._moved = trio.current_time()
        self._queue.append(parcel)
        self._count(len(data))
        if not self._busy:
            self._wake()
        return parcel

    def _count(self, size: int) -> None:
        self.waiting += size
        if self.waiting > self._most and self._crowded is not None:
            self._crowded()

    async def _written(self, parcel: Parcel) -> None:
        try:
            await parcel.wait()
        except trio.Cancelled:
            if not parcel.begun and not self._closed:
                self._queue.remove(parcel)
                self.waiting -= len(parcel.data)
            raise
        if not parcel.written:
            raise trio.BrokenResourceError

    def _wake(self) -> None:
        """Have the queue written."""
        self._busy = True
        if not self._running:
            self._running = True
            self._nursery.start_soon(self._run)
        elif self._lot is not None:
            self._lot.unpark()

    async def _run(self) -> None:  # noqa: ASYNC910 - not called from outside
        """The task that writes. On a plain socket it is seldom needed, and ends when it has nothing to do."""
        try:
            with trio.CancelScope() as self._scope:
                await self._drain()
                while self._lot is not None and not self._closed:
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
            del self._queue[0]
            self.waiting -= len(data)
            parcel.settle(written=True)
        self._busy = False

    def _fail(self) -> None:
        if not self._closed:
            self.close()
            self._broken()

    async def part(self, data: bytes) -> None:  # noqa: ASYNC910 - not called from outside
        """Write this frame, next and last: what has not begun is not written. Set a deadline.

        Raises BrokenResourceError.
        """
        begun = [parcel for parcel in self._queue if parcel.begun]
        for parcel in self._queue:
            if not parcel.begun:
                self.waiting -= len(parcel.data)
                parcel.settle(written=False)
        self._queue = begun
        await self._written(self.put(data))

    def close(self) -> None:
        """Write no more; who waits is told."""
        self._closed = True
        if self._scope is not None:
            self._scope.cancel()
        while self._queue:
            self._queue.pop(0).settle(written=False)
        self.waiting = 0
