"""A network in memory, for whole systems in virtual time: `open_system(environment=FakeNetwork())`."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random

import trio

from aip_trio.actors import RealEnvironment

#: Bytes on their way, after which a sender waits: about what a socket takes.
CAPACITY = 65536


class Pipe:
    """Bytes in one direction, for one reader and one writer."""

    def __init__(self, capacity: float = CAPACITY) -> None:
        self.capacity = capacity
        self.data = bytearray()
        self.written: int = 0
        self.ended = self.broken = self.reader_gone = False
        self.held = False  # what is written does not arrive
        self.limit: float = math.inf  # bytes, after which at_limit is called
        self.at_limit: Callable[[], object] = self.changed
        self._changed = trio.lowlevel.ParkingLot()

    def changed(self) -> None:
        self._changed.unpark_all()

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        while data:
            if self.written == self.limit:
                self.at_limit()
            if self.broken or self.reader_gone:
                raise trio.BrokenResourceError
            if self.ended:
                raise trio.ClosedResourceError
            room = int(min(len(data), self.capacity - len(self.data), self.limit - self.written))
            if not room:
                await self._changed.park()
                continue
            self.data += data[:room]
            self.written += room
            data = data[room:]
            self.changed()

    async def read(self, most: int) -> bytes:
        await trio.lowlevel.checkpoint()
        while True:
            if self.reader_gone:
                raise trio.ClosedResourceError
            if self.data and not self.held:
                data = bytes(self.data[:most])
                del self.data[:most]
                self.changed()
                return data
            if self.ended and not self.held:
                return b""
            if self.broken:
                raise trio.BrokenResourceError
            await self._changed.park()


class FakeStream(trio.abc.HalfCloseableStream):
    """One end of two pipes."""

    def __init__(self, incoming: Pipe, outgoing: Pipe) -> None:
        self.incoming = incoming
        self.outgoing = outgoing
        self.closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.outgoing.write(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def send_eof(self) -> None:
        self.outgoing.ended = True
        self.outgoing.changed()
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self.incoming.read(max_bytes or CAPACITY)

    async def aclose(self) -> None:
        self.closed = True
        self.outgoing.ended = True
        self.incoming.reader_gone = True
        self.outgoing.changed()
        self.incoming.changed()
        await trio.lowlevel.checkpoint()

    def cut(self) -> None:
        """Break both directions, as a reset does: what was on its way is gone."""
        for pipe in (self.incoming, self.outgoing):
            pipe.data.clear()
            pipe.broken = True
            pipe.changed()

    def end(self) -> None:
        """Both directions lead nowhere any more; what was on its way arrives, and then their end."""
        for pipe in (self.incoming, self.outgoing):
            pipe.broken = pipe.ended = True
            pipe.changed()

    def hold(self, held: bool = True) -> None:
        """Nothing arrives any more, in either direction, and nobody is told; or does again."""
        for pipe in (self.incoming, self.outgoing):
            pipe.held = held
            pipe.changed()


def stream_pair(capacity: float = CAPACITY) -> tuple[FakeStream, FakeStream]:
    """Two ends, each of which reads what the other writes."""
    there, back = Pipe(capacity), Pipe(capacity)
    return FakeStream(back, there), FakeStream(there, back)


class FakeListener(trio.abc.Listener[trio.abc.HalfCloseableStream]):
    """Where the network delivers the other ends."""

    def __init__(self, network: FakeNetwork, port: int) -> None:
        self.network = network
        self.port = port
        self.send, self.receive = trio.open_memory_channel[FakeStream](math.inf)

    async def accept(self) -> trio.abc.HalfCloseableStream:
        try:
            return await self.receive.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            raise trio.ClosedResourceError from None

    async def aclose(self) -> None:
        self.network.listeners.pop(self.port, None)
        self.receive.close()
        await trio.lowlevel.checkpoint()


class FakeNetwork:
    """An `Environment` whose sockets are pipes. ``clients`` and ``servers``: the ends, as they connected."""

    def __init__(self) -> None:
        self._real = RealEnvironment(seed=0)
        self.listeners: dict[int, FakeListener] = {}
        self.clients: list[FakeStream] = []
        self.servers: list[FakeStream] = []
        self.capacity: float = CAPACITY

    @property
    def random(self) -> Random:
        return self._real.random

    def now(self) -> datetime:
        return self._real.now()

    def new_id(self) -> str:
        return self._real.new_id()

    def new_secret(self) -> str:
        return self._real.new_secret()

    def sync(self, file: int) -> None:
        self._real.sync(file)

    async def open_tcp_stream(self, host: str, port: int) -> FakeStream:
        await trio.lowlevel.checkpoint()
        if port not in self.listeners:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody listens")
        client, server = stream_pair(self.capacity)
        self.listeners[port].send.send_nowait(server)
        self.clients.append(client)
        self.servers.append(server)
        return client

    async def open_tcp_listeners(
        self, port: int, *, host: str = "127.0.0.1", backlog: int | None = None
    ) -> Sequence[FakeListener]:
        await trio.lowlevel.checkpoint()
        if port in self.listeners:
            raise OSError(errno.EADDRINUSE, "in use")
        listener = self.listeners[port] = FakeListener(self, port)
        return [listener]
