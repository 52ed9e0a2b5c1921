"""Serving: what a handler's end means, drain, close, and limits."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from wsproto.events import CloseConnection

from aip_trio.actors import Actor, RealEnvironment, open_system
from aip_trio.errors import (
    AddressInUse,
    CannotListen,
    ConnectFailed,
    ConnectionLost,
    InvalidSpec,
    NoSystem,
)
from aip_trio.transport import WebSocketTransport, serve_websocket
from tests.transport.ends import echo, tls
from tests.transport.network import FakeNetwork
from tests.transport.raw import RawPeer, knock

pytestmark = [pytest.mark.trio, pytest.mark.usefixtures("each_adapter")]


# Handlers


async def test_after_its_handler_a_connection_is_closed_with_1000() -> None:
    async def handler(transport: WebSocketTransport) -> None:
        await transport.send(b"bye")

    async with trio.open_nursery() as nursery, WebSocketTransport() as client:
        server = await serve_websocket(handler, nursery=nursery)
        await client.connect(server.url)
        assert await client.receive() == b"bye"
        with pytest.raises(ConnectionLost) as raised:
            await client.receive()
        assert raised.value.code == 1000
        nursery.cancel_scope.cancel()


async def crash_bare(transport: WebSocketTransport) -> None:
    raise ZeroDivisionError("planted")


async def crash_in_a_nursery(transport: WebSocketTransport) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crash_bare, transport)
        await trio.sleep_forever()


async def crash_by_another_connection(transport: WebSocketTransport) -> None:
    raise ConnectFailed("ws://other", "planted")


@pytest.mark.parametrize("handler", [crash_bare, crash_in_a_nursery, crash_by_another_connection])
async def test_a_handlers_crash_is_logged_closes_with_1011_and_leaves_the_others_alone(
    handler: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    async def either(transport: WebSocketTransport) -> None:
        if await transport.receive() == b"crash":
            await handler(transport)  # type: ignore[misc]  # pyright: ignore
        await echo(transport)

    async with (
        trio.open_nursery() as nursery,
        WebSocketTransport() as one,
        WebSocketTransport() as other,
    ):
        server = await serve_websocket(either, nursery=nursery)
        await one.connect(server.url)
        await other.connect(server.url)
        await other.send(b"fine")
        await one.send(b"crash")
        with pytest.raises(ConnectionLost) as raised:
            await one.receive()
        assert raised.value.code == 1011
        assert "planted" not in raised.value.reason
        await other.send(b"lives on")
        assert await other.receive() == b"lives on"
        assert server.statistics().crashed == 1
        nursery.cancel_scope.cancel()
    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.name == "aip_trio.transport"
    assert "127.0.0.1:" in record.getMessage()
    assert "planted" in caplog.text


async def test_a_handler_that_lets_the_end_of_its_connection_pass_has_not_crashed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with trio.open_nursery() as nursery:
        server = await serve_websocket(echo, nursery=nursery)
        async with WebSocketTransport() as client:
            await client.connect(server.url)
        await server.close()
        assert server.statistics().crashed == 0
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_crash_while_the_server_closes_is_logged_and_goes_no_further(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    async def crash_when_cancelled() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ZeroDivisionError("planted")

    async def handler(transport: WebSocketTransport) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crash_when_cancelled)
            await trio.sleep_forever()

    async with open_system(environment=FakeNetwork()):
        server = await serve_websocket(handler, port=1)
        assert isinstance(await knock(server), RawPeer)
        await server.close()
        assert server.statistics().connections == 0
    assert "planted" in caplog.text


# Its end


async def test_drain_takes_no_more_and_leaves_the_others_alone() -> None:
    async with trio.open_nursery() as nursery, WebSocketTransport() as client:
        server = await serve_websocket(echo, nursery=nursery)
        await client.connect(server.url)
        await server.drain()
        async with WebSocketTransport() as late:
            with pytest.raises(ConnectFailed):
                await late.connect(server.url)
        await client.send(b"still here")
        assert await client.receive() == b"still here"
        await server.drain()


async def test_a_handshake_under_way_when_it_drains_is_refused() -> None:
    network = FakeNetwork()
    async with open_system(environment=network):
        server = await serve_websocket(echo, port=1)
        stream = await network.open_tcp_stream("127.0.0.1", 1)
        await stream.send_all(b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n")
        await wait_all_tasks_blocked()
        await server.drain()
        await stream.send_all(
            b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 503 ")


async def test_close_tells_every_client_and_waits_for_the_handlers() -> None:
    ended = 0

    async def handler(transport: WebSocketTransport) -> None:
        nonlocal ended
        try:
            await echo(transport)
        finally:
            ended += 1

    async with trio.open_nursery() as nursery:
        server = await serve_websocket(handler, nursery=nursery)
        async with WebSocketTransport() as one, WebSocketTransport() as two:
            for client in (one, two):
                await client.connect(server.url)
                await client.send(b"hello")
                await client.receive()
            await server.close(1012, "restarting")
            assert ended == 2
            for client in (one, two):
                with pytest.raises(ConnectionLost) as raised:
                    await client.receive()
                assert (raised.value.code, raised.value.reason) == (1012, "restarting")
    assert server.statistics().connections == 0


async def test_close_cancels_handlers_that_go_on(autojump_clock: MockClock) -> None:
    async def handler(transport: WebSocketTransport) -> None:
        await trio.sleep_forever()

    async with open_system(environment=FakeNetwork()):
        server = await serve_websocket(handler, port=1, close_timeout=3)
        peer = await knock(server)
        assert isinstance(peer, RawPeer)
        await server.close()
        assert trio.current_time() == 6
        closing = await peer.closing()
        assert (closing.code, closing.reason) == (1001, "the server goes away")


async def test_a_server_lives_in_the_actor_that_starts_it() -> None:
    network = FakeNetwork()

    class Host(Actor):
        async def started(self) -> None:
            await serve_websocket(echo, port=1)

    async with open_system(environment=network) as system:
        host = await system.spawn(Host, name="host")
        assert 1 in network.listeners
        await host.stop()
        assert 1 not in network.listeners


async def test_outside_of_everything_a_server_has_no_place() -> None:
    with pytest.raises(NoSystem, match="nursery"):
        await serve_websocket(echo)


# Limits


async def test_beyond_max_connections_clients_are_told_503() -> None:
    network = FakeNetwork()
    async with open_system(environment=network):
        server = await serve_websocket(echo, port=1, max_connections=2)
        first, second = await knock(server), await knock(server)
        assert isinstance(first, RawPeer)
        assert isinstance(second, RawPeer)
        assert await knock(server) == (503, "all 2 connections are taken")
        await first.send(CloseConnection(1000))
        await first.eof()
        await wait_all_tasks_blocked()
        assert isinstance(await knock(server), RawPeer)
        statistics = server.statistics()
        assert (statistics.connections, statistics.accepted, statistics.refused) == (2, 4, 1)


async def test_ten_thousand_clients_at_once_take_no_more_than_there_is_room_for(
    each_adapter: str, autojump_clock: MockClock
) -> None:
    if each_adapter != "native":
        pytest.skip("they never get as far as an adapter")
    network = FakeNetwork()
    async with open_system(environment=network):
        server = await serve_websocket(echo, port=1, max_connections=50, handshake_timeout=10)
        peer = await knock(server)
        assert isinstance(peer, RawPeer)
        for _ in range(10_000):
            await network.open_tcp_stream("127.0.0.1", 1)
        await wait_all_tasks_blocked()
        assert server.statistics().connections == 50
        assert len([stream for stream in network.servers if not stream.closed]) <= 50 + 64
        await peer.text("lives on")
        assert await peer.event() is not None
        await trio.sleep(11)
        statistics = server.statistics()
        assert (statistics.connections, statistics.refused, statistics.failed) == (1, 9951, 49)


# Where it listens


async def test_a_port_in_use_says_which() -> None:
    async with trio.open_nursery() as nursery:
        server = await serve_websocket(echo, nursery=nursery)
        with pytest.raises(AddressInUse) as raised:
            await serve_websocket(echo, nursery=nursery, port=server.port)
        assert (raised.value.host, raised.value.port) == ("127.0.0.1", server.port)
        assert "port 0" in str(raised.value)
        await server.close()


async def test_a_host_that_is_none_of_ours_cannot_be_listened_on() -> None:
    async with trio.open_nursery() as nursery:
        with pytest.raises(CannotListen, match=r"192\.0\.2\.1"):
            await serve_websocket(echo, "192.0.2.1", nursery=nursery)


async def test_a_name_with_two_addresses_gets_one_port() -> None:
    class TwoAddresses(RealEnvironment):
        async def open_tcp_listeners(
            self, port: int, *, host: str = "127.0.0.1", backlog: int | None = None
        ) -> list[trio.SocketListener]:
            return [
                *await trio.open_tcp_listeners(0, host="127.0.0.1"),
                *await trio.open_tcp_listeners(0, host="127.0.0.2"),
            ]

    async with open_system(environment=TwoAddresses()), WebSocketTransport() as client:
        server = await serve_websocket(echo, "localhost")
        assert server.url == f"ws://localhost:{server.port}/ws"
        await client.connect(f"ws://127.0.0.1:{server.port}/ws")
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream("127.0.0.2", server.port)


@pytest.mark.parametrize(
    "options",
    [
        {"max_connections": 0},
        {"handshake_timeout": 0},
        {"ping_interval": 0},
        {"ping_timeout": -1},
        {"close_timeout": -1},
        {"close_timeout": float("inf")},
        {"max_size": 0},
        {"max_size": True},
        {"max_size": 1.5},
        {"port": 70_000},
        {"port": -1},
        {"path": "ws"},
        {"subprotocols": "aip.v1"},
        {"subprotocols": ["a b"]},
        {"subprotocols": ["ä"]},
    ],
    ids=str,
)
async def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    async with trio.open_nursery() as nursery:
        with pytest.raises(InvalidSpec, match=next(iter(options))):
            await serve_websocket(echo, nursery=nursery, **options)  # type: ignore[arg-type]  # pyright: ignore


# TLS


async def test_over_tls_the_certificate_has_to_be_one_that_is_trusted() -> None:
    async with trio.open_nursery() as nursery, WebSocketTransport() as client:
        server = await serve_websocket(echo, nursery=nursery, ssl_context=tls()[0])
        assert server.url.startswith("wss://")
        with pytest.raises(ConnectFailed, match="certificate"):
            await client.connect(server.url)
        client.reset()
        with pytest.raises(ConnectFailed):
            await client.connect(server.url.replace("wss:", "ws:"))
        client.reset()
        await client.connect(server.url, ssl_context=tls()[1])
        await client.send(b"secret")
        assert await client.receive() == b"secret"
        await wait_all_tasks_blocked(0.01)
        assert server.statistics().failed == 2
        await client.close()
        await server.close()


async def test_a_browser_that_resets_its_connection_leaves_nothing() -> None:
    async with trio.open_nursery() as nursery:
        server = await serve_websocket(echo, nursery=nursery)
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        await stream.send_all(b"GET ")
        await stream.aclose()
        await wait_all_tasks_blocked(0.01)
        assert server.statistics().connections == 0
        await server.close()
