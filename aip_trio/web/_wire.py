"""A TCP connection that tells when it was heard, and that anybody may cut off."""

from __future__ import annotations

import trio

__all__ = ["Wire"]


class Wire(trio.abc.HalfCloseableStream):
    """A socket's stream, watched."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._hearing = trio.lowlevel.ParkingLot()
        #: when bytes came, in Trio's clock
        self.last_heard = trio.current_time()
        #: the peer has ended it, or this side has cut it
        self.ended = trio.Event()

    @property
    def socket(self) -> trio.socket.SocketType:
        """What hypercorn asks for the addresses."""
        return self._stream.socket

    async def heard(self) -> None:
        """Wait until bytes come; for ever where none do. A checkpoint."""
        await self._hearing.park()

    def cut(self) -> None:
        """Close the socket: whoever reads or writes gets ClosedResourceError."""
        self.ended.set()
        self._stream.socket.close()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """See `trio.abc.ReceiveStream`."""
        try:
            data = await self._stream.receive_some(max_bytes)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.ended.set()
            raise
        if data:
            self.last_heard = trio.current_time()
            self._hearing.unpark_all()
        else:
            self.ended.set()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """See `trio.abc.SendStream`."""
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """See `trio.abc.SendStream`."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """See `trio.abc.HalfCloseableStream`."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """See `trio.abc.AsyncResource`."""
        await self._stream.aclose()
