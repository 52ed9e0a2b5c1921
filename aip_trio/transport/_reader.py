"""Who reads a connection, and what came."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import trio

from aip_trio.errors import TransportBusy
from aip_trio.transport._codec import Closed, Codec, FrameFault, Message, Pinged, Ponged
from aip_trio.transport._inbox import Inbox
from aip_trio.transport._plain import plain, read

__all__ = ["End", "Reader"]

#: What ends the reading: the peer's close frame, what is no frame, or the end of the stream.
End: TypeAlias = "Closed | FrameFault | trio.BrokenResourceError | trio.ClosedResourceError"

#: Bytes that are read at once; more of a long frame.
_CHUNK = 16384
_LONG_CHUNK = 262144
#: Seconds without a task that receives, after which the background reads.
_ABSENCE = 0.1


class Reader:
    """Reads in the task that receives, as long as there is one: no other task is woken first.

    Pings have to be answered, pongs and the end to be seen, while nobody receives, too. For that there is a
    task in the background, in `attend`: where nobody has received for a while, or it is ``urgent()``, it
    reads, into a bounded inbox, until a task comes that waits for a message.

    ``control`` is called with each ping and pong.
    """

    __slots__ = (
        "_armed",
        "_attending",
        "_control",
        "_discarding",
        "_frames",
        "_inbox",
        "_left",
        "_listening_since",
        "_nap",
        "_receiving",
        "_socket",
        "_stream",
        "_urgent",
        "end",
        "last_heard",
    )

    def __init__(
        self,
        stream: trio.abc.ReceiveStream,
        frames: Codec,
        control: Callable[[Pinged | Ponged], object],
        urgent: Callable[[], bool],
    ) -> None:
        self._stream = stream
        self._socket = plain(stream)
        self._frames = frames
        self._control = control
        self._urgent = urgent
        self._inbox = Inbox()
        self._receiving = False  # a task reads, in `get`
        self._attending = False  # the background reads
        self._discarding = False
        self._left = -math.inf  # when the last task that received was done
        self._armed = False  # the background will look whether one came again
        self._nap = trio.CancelScope()
        self._listening_since = trio.current_time()
        #: when something came
        self.last_heard = self._listening_since
        #: why there is no more to read
        self.end: End | None = None

    @property
    def quiet_since(self) -> float:
        """Since when nothing came though somebody listened: what waits behind a full inbox may be a pong."""
        return trio.current_time() if self._inbox.full else max(self.last_heard, self._listening_since)

    # The task that receives

    async def get(self) -> Message:
        """The next message. A checkpoint; raises TransportBusy, and after the last what `close` was given."""
        if self._receiving:
            raise TransportBusy("receive()")
        if self._attending or self.end is not None or not self._inbox.empty:
            return await self._inbox.get()
        self._receiving = True
        try:
            message = await self._receive()
        finally:
            self._receiving = False
            self._leave()
        return message if message is not None else await self._inbox.get()

    async def _receive(self) -> Message | None:  # noqa: ASYNC910 - without a message, reading is one
        """Read to the next message; None: to the end."""
        if not self._frames.empty:
            await trio.lowlevel.checkpoint_if_cancelled()
            message = self._pull()
            if message is not None:
                await trio.lowlevel.cancel_shielded_checkpoint()
                return message
        while self.end is None:
            await self._read()
            message = self._pull()
            if message is not None:
                return message
        return None  # noqa: ASYNC910 - not called from outside

    def _leave(self) -> None:
        """The background is to look after it, if that task does not come back soon."""
        self._left = trio.current_time()
        if self._urgent():
            self._nap.cancel()
        elif not self._armed:
            self._armed = True
            self._nap.deadline = min(self._nap.deadline, self._left + _ABSENCE)

    # The task in the background

    async def attend(self, until: float) -> None:
        """Be there until then, or until the end, and read where nobody else does. A checkpoint."""
        reads = not self._receiving and self._is_needed()
        self._armed = not reads and not self._receiving
        deadline = min(until, self._left + _ABSENCE) if self._armed else until
        with trio.CancelScope(deadline=deadline) as self._nap:
            if not reads:
                await trio.sleep_forever()
            self._attending = True
            try:
                await self._fill()
            finally:
                self._attending = False

    def _is_needed(self) -> bool:
        absent = trio.current_time() >= self._left + _ABSENCE
        return absent or self._inbox.awaited or self._urgent()

    async def _fill(self) -> None:  # noqa: ASYNC910 - not called from outside
        """Read into the inbox, until a task that waits for a message gets one: it will be back."""
        while self.end is None:
            if self._inbox.full:
                try:
                    await self._inbox.room()
                finally:
                    self._listening_since = trio.current_time()
            message = self._pull()
            if message is None:
                if self.end is None:
                    await self._read()
            elif self._inbox.put(message):
                self._left = trio.current_time()
                return  # noqa: ASYNC910 - not called from outside

    def hurry(self) -> None:
        """It has become urgent."""
        if not self._attending:
            self._nap.cancel()

    def wake_at(self, when: float) -> None:
        """Return from `attend` by then at the latest."""
        self._nap.deadline = min(self._nap.deadline, when)

    # Both

    def _pull(self) -> Message | None:
        """The next message of what has been read."""
        try:
            while (frame := self._frames.next()) is not None:
                if isinstance(frame, tuple):
                    if not self._discarding:
                        return frame
                elif isinstance(frame, Closed):
                    self._finish(frame)
                    break
                else:
                    self._control(frame)
        except FrameFault as fault:
            self._finish(fault)
        return None

    async def _read(self) -> None:
        most = max(_CHUNK, min(self._frames.missing, _LONG_CHUNK))
        try:
            if self._socket is None:
                data = bytes(await self._stream.receive_some(most))
            else:
                data = await read(self._socket, most)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._finish(error)
            return  # noqa: ASYNC910 - not called from outside
        if data:
            self.last_heard = trio.current_time()
            self._frames.feed(data)
        else:
            self._finish(trio.BrokenResourceError("the stream ended without a close frame"))

    def _finish(self, end: End) -> None:
        self.end = end
        if not self._attending:
            self._nap.cancel()

    def discard(self, error: Callable[[], BaseException]) -> None:
        """What comes from now on is not kept; who receives, or would, gets an ``error()``."""
        self._discarding = True
        self._inbox.end(error, drop=True)

    def close(self, error: Callable[[], BaseException]) -> None:
        """Nothing comes any more: what came is received, and then an ``error()`` is raised."""
        self._inbox.end(error)
