"""Cancelled at every checkpoint: connect, send, receive, ping, close, and the server's side of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import open_system
from aip_trio.errors import ConnectionLost, TransportError
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import (
    MemoryTransport,
    TransportState,
    WebSocketServer,
    WebSocketTransport,
    serve_websocket,
)
from tests.transport.ends import echo
from tests.transport.network import FakeNetwork

pytestmark = pytest.mark.usefixtures("each_adapter")


@attrs.define
class World:
    network: FakeNetwork
    server: WebSocketServer
    accepted: list[WebSocketTransport]

    async def is_at_peace(self) -> None:
        """No connection is left, nor a stream open."""
        await wait_all_tasks_blocked()
        assert self.server.statistics().connections == 0
        assert all(stream.closed for stream in self.network.clients + self.network.servers)


@asynccontextmanager
async def world(*, reads: bool = True, capacity: float = 65536) -> AsyncGenerator[World]:
    network = FakeNetwork()
    network.capacity = capacity
    accepted: list[WebSocketTransport] = []

    async def handler(transport: WebSocketTransport) -> None:
        accepted.append(transport)
        if reads:
            await echo(transport)
        await trio.sleep_forever()

    async with open_system(environment=network):
        server = await serve_websocket(handler, port=1)
        yield World(network, server, accepted)
        await server.close()


def skip_where_a_cancelled_send_ends_the_connection(adapter: str) -> None:
    if adapter == "trio-websocket":
        pytest.skip("its library cannot take back, or finish, a frame")


@pytest.mark.parametrize("reconnects", [False, True])
def test_connect(reconnects: bool) -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it:
            async with WebSocketTransport() as transport:
                with point:
                    await transport.connect(all_of_it.server.url)
                if point.cancelled:
                    assert transport.state is TransportState.ERROR
                    with suppress(ConnectionError):
                        await transport.send(b"x")
                        raise AssertionError("it is not connected")
                    transport.reset()
                    if reconnects:
                        await transport.connect(all_of_it.server.url)
                if transport.is_connected:
                    await transport.send(b"hello")
                    assert await transport.receive() == b"hello"
            await all_of_it.is_at_peace()

    assert cancel_at_every_checkpoint(scenario) >= 2


def test_receive() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it, WebSocketTransport() as transport:
            await transport.connect(all_of_it.server.url)
            await transport.send(b"one")
            await transport.send(b"two")
            got: list[bytes] = []
            with point:
                got.append(await transport.receive())
            while len(got) < 2:
                got.append(await transport.receive())
            assert got == [b"one", b"two"]

    assert cancel_at_every_checkpoint(scenario) >= 1


@pytest.mark.parametrize("capacity", [100, 65536], ids=["in-parts", "at-once"])
def test_send(capacity: float, each_adapter: str) -> None:
    skip_where_a_cancelled_send_ends_the_connection(each_adapter)

    async def scenario(point: CancelPoint) -> None:
        async with world(capacity=capacity) as all_of_it, WebSocketTransport() as transport:
            await transport.connect(all_of_it.server.url)
            with point:
                await transport.send(b"x" * 1000)
            await transport.send(b"last")
            got = [await transport.receive()]
            if got != [b"last"]:
                got.append(await transport.receive())
            assert got in ([b"x" * 1000, b"last"], [b"last"])
            if not point.cancelled:
                assert len(got) == 2

    assert cancel_at_every_checkpoint(scenario) >= 1


def test_send_to_a_peer_that_does_not_read(each_adapter: str) -> None:
    skip_where_a_cancelled_send_ends_the_connection(each_adapter)

    async def scenario(point: CancelPoint) -> None:
        async with world(reads=False, capacity=100) as all_of_it, WebSocketTransport() as transport:
            await transport.connect(all_of_it.server.url)
            await wait_all_tasks_blocked()
            for number in range(64):  # what the peer's inbox holds
                await transport.send(b"%02d" % number)
            with trio.move_on_after(1):
                with point:
                    while True:
                        await transport.send(b"x" * 40)
            (peer,) = all_of_it.accepted
            assert [await peer.receive() for _ in range(64)] == [b"%02d" % number for number in range(64)]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(transport.send, b"last")
                while (message := await peer.receive()) != b"last":
                    assert message == b"x" * 40

    assert cancel_at_every_checkpoint(scenario, max_checkpoints=100) >= 3


def test_ping() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it, WebSocketTransport() as transport:
            await transport.connect(all_of_it.server.url)
            with point:
                await transport.ping()
            await transport.ping()
            assert transport.is_connected

    assert cancel_at_every_checkpoint(scenario) >= 1


@pytest.mark.parametrize("held", [False, True], ids=["answered", "not-answered"])
def test_close(held: bool) -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it, WebSocketTransport() as transport:
            await transport.connect(all_of_it.server.url)
            stream = all_of_it.network.clients[0]
            stream.hold(held)
            with point:
                await transport.close()
            assert transport.state is TransportState.DISCONNECTED
            assert stream.closed
            if point.cancelled:
                assert trio.current_time() <= 10.0
            stream.hold(False)
            await all_of_it.is_at_peace()

    assert cancel_at_every_checkpoint(scenario) >= 1


def test_leaving_the_block() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it:
            with point:
                async with WebSocketTransport() as transport:
                    await transport.connect(all_of_it.server.url)
                    await transport.send(b"hello")
                    await transport.receive()
            await all_of_it.is_at_peace()

    assert cancel_at_every_checkpoint(scenario) >= 5


def test_serving() -> None:
    async def scenario(point: CancelPoint) -> None:
        network = FakeNetwork()
        async with open_system(environment=network), trio.open_nursery() as nursery:
            server = None
            with point:
                server = await serve_websocket(echo, port=1, nursery=nursery)
            await wait_all_tasks_blocked()
            if server is None:
                assert not network.listeners
            else:
                await server.close()

    assert cancel_at_every_checkpoint(scenario) >= 2


@pytest.mark.parametrize("polite", [True, False])
def test_closing_a_server(polite: bool) -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world(reads=polite) as all_of_it, WebSocketTransport() as transport:
            await transport.connect(all_of_it.server.url)
            await transport.send(b"hello")
            with point:
                await all_of_it.server.close()
            with pytest.raises(ConnectionLost):
                while True:
                    await transport.receive()
            assert not all_of_it.network.listeners
            await all_of_it.is_at_peace()

    assert cancel_at_every_checkpoint(scenario) >= 1


def test_draining_a_server() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it, WebSocketTransport() as transport:
            await transport.connect(all_of_it.server.url)
            with point:
                await all_of_it.server.drain()
            await wait_all_tasks_blocked()
            assert not all_of_it.network.listeners
            await transport.send(b"lives on")
            assert await transport.receive() == b"lives on"

    assert cancel_at_every_checkpoint(scenario) >= 1


@pytest.mark.parametrize("call", ["send", "receive", "close", "ping"])
def test_in_memory(call: str) -> None:
    async def scenario(point: CancelPoint) -> None:
        here, there = MemoryTransport.pair()
        await there.send(b"one")
        with point:
            if call == "send":
                await here.send(b"sent")
            elif call == "receive":
                assert await here.receive() == b"one"
            elif call == "ping":
                await here.ping()
            else:
                await here.close()
        if call == "receive" and point.cancelled:
            assert await here.receive() == b"one"
        if here.is_connected:
            await here.send(b"last")
            while await there.receive() != b"last":
                pass
        else:
            with pytest.raises(TransportError):
                await there.receive()

    assert cancel_at_every_checkpoint(scenario) >= 1
