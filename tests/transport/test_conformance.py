"""Every transport passes the one suite."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import trio

from aip_trio.actors import open_system
from aip_trio.transport import MemoryNetwork, MemoryTransport
from tests.transport.conformance import Ends, TransportConformance
from tests.transport.ends import websocket_ends
from tests.transport.network import FakeNetwork


class TestMemory(TransportConformance):
    url = "memory://x"

    @asynccontextmanager
    async def ends(self) -> AsyncGenerator[Ends]:
        network = MemoryNetwork()
        accepted: list[MemoryTransport] = []
        leave = trio.Event()

        async def handler(transport: MemoryTransport) -> None:
            while accepted:
                await transport.send(await transport.receive())
            accepted.append(transport)
            await leave.wait()

        async with trio.open_nursery() as nursery, network.transport() as client:
            server = await network.serve("x", handler, nursery=nursery)
            await client.connect(server.url)
            await trio.testing.wait_all_tasks_blocked()
            yield Ends(client, accepted[0], client.cut, partial(client.connect, server.url))
            leave.set()
            await server.close()


class OverPipes(TransportConformance):
    """Over a network in memory."""

    under_test = "client"

    @asynccontextmanager
    async def ends(self) -> AsyncGenerator[Ends]:
        async with open_system(environment=FakeNetwork()), websocket_ends(under_test=self.under_test) as ends:
            yield ends


class TestClientOverPipes(OverPipes):
    pass


class TestServerOverPipes(OverPipes):
    connects = False
    under_test = "server"


class OverSockets(TransportConformance):
    cushion = 0.02

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return websocket_ends()


class TestClient(OverSockets):
    pass


class TestServer(OverSockets):
    connects = False

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return websocket_ends(under_test="server")


class TestClientOverTls(OverSockets):
    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return websocket_ends(secure=True)


class TestServerOverTls(OverSockets):
    connects = False

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return websocket_ends(secure=True, under_test="server")
