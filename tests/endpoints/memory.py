"""The plain peer over a transport in memory, for tests in virtual time."""

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, ParamSpec

import trio
from trio.testing import MockClock

from aip_trio.actors import ActorSystem, open_system
from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.errors import ConnectionLost, TransportClosed
from aip_trio.transport import MemoryNetwork, MemoryServer, MemoryTransport
from tests.endpoints.peer import Ended, Peer, Wire
from tests.endpoints.support import living

__all__ = ["Arrivals", "HeldNetwork", "HeldTransport", "MemoryWire", "fleet", "memory_peer", "virtual"]

P = ParamSpec("P")


def virtual(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Make an async test a plain one: a Trio run of its own, on a clock that jumps when all tasks wait."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            tasks = living()
            with trio.fail_after(100_000):
                await test(*args, **kwargs)
            assert living() == tasks, "a task is left"

        trio.run(main, clock=MockClock(autojump_threshold=0))

    return run


class MemoryWire(Wire):
    """One end in memory."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.transport = transport

    async def send(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            await self.transport.send(frame.encode())
        else:
            await self.transport.send_binary(frame)

    async def receive(self) -> str | bytes:
        try:
            return await self.transport.receive_auto()
        except ConnectionLost as lost:
            raise Ended(lost.code) from None
        except TransportClosed:
            raise Ended(1006) from None

    async def close(self, code: int) -> None:
        await self.transport.close(code)

    async def cut(self) -> None:
        self.transport.cut()
        await trio.lowlevel.checkpoint()


class HeldTransport(MemoryTransport):
    """Is closed no sooner than it may."""

    gate: trio.Event

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self.gate.wait()
        await super().close(code, reason)


class HeldNetwork(MemoryNetwork):
    """Whose clients' connections close no sooner than they may."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = trio.Event()

    def held(self) -> HeldTransport:
        transport = HeldTransport(self)
        transport.gate = self.gate
        return transport


async def memory_peer(network: MemoryNetwork, name: str = "server") -> Peer:
    """A client's connection, not registered yet."""
    transport = network.transport()
    await transport.connect(f"memory://{name}")
    return Peer(MemoryWire(transport))


class Arrivals:
    """A plain server in memory: the test decides what each connection is told."""

    url = "memory://plain"

    def __init__(self, network: MemoryNetwork) -> None:
        self.network = network
        self._send, self._receive = trio.open_memory_channel[Peer](100)
        self._server: MemoryServer | None = None

    async def open(self, nursery: trio.Nursery) -> None:
        """Listen from now on."""
        self._server = await self.network.serve("plain", self._handle, nursery=nursery)

    async def shut(self) -> None:
        """Listen no more."""
        assert self._server is not None
        await self._server.drain()

    async def _handle(self, transport: MemoryTransport) -> None:
        await self._send.send(Peer(MemoryWire(transport)))
        await transport.wait_closed()

    async def accept(self) -> Peer:
        """The next connection."""
        return await self._receive.receive()

    async def registered(self) -> Peer:
        """The next connection, accepted."""
        client = await self.accept()
        await client.receive("register")
        await client.send("heartbeat", response_id="welcome")
        return client


@asynccontextmanager
async def fleet(
    *, links: Sequence[str] = (), **options: Any
) -> AsyncGenerator[tuple[ActorSystem, DeviceServerEndpoint, MemoryNetwork]]:
    """A server that takes connections in memory, at ``memory://server``; by default none that resumes."""
    network = MemoryNetwork()
    async with open_system() as system:
        server = DeviceServerEndpoint(**options)
        await server.start()
        await network.serve("server", server.handle_websocket, nursery=system.nursery, subprotocols=links)
        yield system, server, network
        await server.stop()
        left = [node.path for node in system.tree().walk()]
        assert left == ["/"], left
