"""Connections that are trio-websocket's own: adapted on either side, and as peers of ours."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
import trio_websocket
from trio_websocket import WebSocketConnection, WebSocketRequest

from aip_trio.errors import ConnectionLost, MessageTooLarge, UnknownWebSocket
from aip_trio.transport import (
    TransportState,
    WebSocketAdapter,
    WebSocketTransport,
    create_adapter,
    serve_websocket,
)
from tests.transport.conformance import Ends, TransportConformance
from tests.transport.ends import cut


@asynccontextmanager
async def foreign_client(
    max_size: int = 1 << 20,
) -> AsyncGenerator[tuple[WebSocketConnection, WebSocketTransport]]:
    """A client of trio-websocket, and what a server of ours made of it."""
    accepted: list[WebSocketTransport] = []
    arrived, leave = trio.Event(), trio.Event()

    async def handler(transport: WebSocketTransport) -> None:
        accepted.append(transport)
        arrived.set()
        await leave.wait()

    async with trio.open_nursery() as nursery:
        server = await serve_websocket(handler, nursery=nursery, close_timeout=2.0)
        websocket = await trio_websocket.connect_websocket_url(nursery, server.url, max_message_size=max_size)
        await arrived.wait()
        yield websocket, accepted[0]
        leave.set()
        await WebSocketTransport(websocket, close_timeout=1.0).close()
        await server.close()


@asynccontextmanager
async def foreign_server(
    max_size: int = 1 << 20,
) -> AsyncGenerator[tuple[WebSocketConnection, WebSocketTransport]]:
    """What a server of trio-websocket made of a client of ours, and that."""
    accepted: list[WebSocketConnection] = []
    arrived, leave = trio.Event(), trio.Event()

    async def handler(request: WebSocketRequest) -> None:
        accepted.append(await request.accept())
        arrived.set()
        await leave.wait()

    async with trio.open_nursery() as nursery, WebSocketTransport(close_timeout=2.0) as client:
        server = await nursery.start(
            partial(trio_websocket.serve_websocket, max_message_size=max_size), handler, "127.0.0.1", 0, None
        )
        await client.connect(f"ws://127.0.0.1:{server.port}/")
        await arrived.wait()
        yield accepted[0], client
        leave.set()
        await client.close()
        nursery.cancel_scope.cancel()


class Foreign(TransportConformance):
    connects = False
    cushion = 0.02
    sends_can_be_cancelled = False
    notices_the_end = False
    pings_pass_messages = False


class TestAdaptedClient(Foreign):
    @asynccontextmanager
    async def ends(self) -> AsyncGenerator[Ends]:
        async with foreign_client() as (websocket, peer):
            mine = WebSocketTransport(websocket, close_timeout=2.0)
            yield Ends(mine, peer, partial(cut, peer))


class TestAdaptedServer(Foreign):
    @asynccontextmanager
    async def ends(self) -> AsyncGenerator[Ends]:
        async with foreign_server() as (websocket, peer):
            mine = WebSocketTransport(websocket, close_timeout=2.0)
            yield Ends(mine, peer, partial(cut, peer))


class TestPeerOfTheirServer(TransportConformance):
    """Ours, as the client of a server of theirs."""

    connects = False  # once more
    cushion = 0.02
    pings_pass_messages = False

    @asynccontextmanager
    async def ends(self) -> AsyncGenerator[Ends]:
        async with foreign_server() as (websocket, mine):
            yield Ends(mine, WebSocketTransport(websocket, close_timeout=2.0), partial(cut, mine))


@pytest.mark.trio
async def test_the_limit_is_in_bytes_where_theirs_is_in_characters() -> None:
    async with foreign_client() as (websocket, peer):
        mine = WebSocketTransport(websocket, max_size=100, close_timeout=2.0)
        await peer.send(("é" * 50).encode())
        assert await mine.receive() == ("é" * 50).encode()
        await peer.send(("é" * 51).encode())
        with pytest.raises(MessageTooLarge) as raised:
            await mine.receive()
        assert (raised.value.size, raised.value.limit) == (102, 100)
        assert mine.state is TransportState.ERROR
        with pytest.raises(ConnectionLost) as lost:
            await peer.receive()
        assert lost.value.code == 1009


@pytest.mark.trio
async def test_their_own_limit_shows_as_1009() -> None:
    async with foreign_client(max_size=100) as (websocket, peer):
        mine = WebSocketTransport(websocket, close_timeout=2.0)
        await peer.send(b"x" * 101)
        with pytest.raises(ConnectionLost, match="100 bytes") as raised:
            await mine.receive()
        assert raised.value.code == mine.close_code == 1009


@pytest.mark.trio
async def test_an_adapter_gives_and_takes_either_kind_of_frame() -> None:
    async with foreign_client() as (websocket, peer):
        adapter = create_adapter(websocket)
        assert isinstance(adapter, WebSocketAdapter)
        assert create_adapter(adapter) is adapter
        await adapter.send("text")
        assert await peer.receive_auto() == "text"
        await adapter.send_bytes(b"binary")
        assert await peer.receive_auto() == b"binary"
        for message in (b"text", b"\xff"):
            await peer.send(message)
        assert await adapter.receive() == "text"
        assert await adapter.receive_bytes() == b"\xff"
        await peer.send(b"\xff")
        assert await adapter.receive() == "\N{REPLACEMENT CHARACTER}"
        assert adapter.is_open()
        assert adapter.peer.startswith("Endpoint")
        await adapter.close()
        assert not adapter.is_open()
        await adapter.wait_closed()


@pytest.mark.trio
async def test_what_is_no_websocket_is_refused() -> None:
    with pytest.raises(UnknownWebSocket, match="trio-websocket"):
        create_adapter("a text")
    with pytest.raises(UnknownWebSocket):
        WebSocketTransport(websocket=3)
