"""Connected ends of every kind, for `TransportConformance` and others."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import TypeAlias, cast

import trio
import trustme

from aip_trio.transport import AdapterName, WebSocketTransport, serve_websocket
from aip_trio.transport._hosted import HostedWebSocket
from aip_trio.transport._native import NativeWebSocket
from tests.transport.conformance import Ends
from tests.transport.network import FakeStream

Tls: TypeAlias = "trio.SSLStream[trio.abc.Stream]"


@cache
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server on the loopback, and of a client that trusts it."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(server)  # pyright: ignore[reportUnknownMemberType]
    client = ssl.create_default_context()
    authority.configure_trust(client)  # pyright: ignore[reportUnknownMemberType]
    return server, client


def stream_of(transport: WebSocketTransport) -> trio.abc.Stream:
    """The stream below a transport that is connected, TLS taken off."""
    websocket = transport.websocket
    assert isinstance(websocket, NativeWebSocket | HostedWebSocket)
    stream = websocket._stream
    return cast("Tls", stream).transport_stream if isinstance(stream, trio.SSLStream) else stream


def cut(transport: WebSocketTransport) -> None:
    """Break its connection, as a network does."""
    stream = stream_of(transport)
    if isinstance(stream, FakeStream):
        stream.cut()
    else:
        assert isinstance(stream, trio.SocketStream)
        stream.socket.shutdown(socket.SHUT_RDWR)


async def echo(transport: WebSocketTransport) -> None:
    while True:
        await transport.send(await transport.receive())


@asynccontextmanager
async def websocket_ends(
    *,
    secure: bool = False,
    under_test: str = "client",
    client_adapter: AdapterName = "native",
    server_adapter: AdapterName = "native",
) -> AsyncGenerator[Ends]:
    """A client and what the server made of it, over whatever network the environment has."""
    server_tls, client_tls = tls() if secure else (None, None)
    accepted: list[WebSocketTransport] = []
    arrived, leave = trio.Event(), trio.Event()

    async def handler(transport: WebSocketTransport) -> None:
        if accepted:
            await echo(transport)
        accepted.append(transport)
        arrived.set()
        await leave.wait()

    client = WebSocketTransport(close_timeout=2.0, adapter=client_adapter)
    async with trio.open_nursery() as nursery, client:
        server = await serve_websocket(
            handler, nursery=nursery, ssl_context=server_tls, close_timeout=2.0, adapter=server_adapter
        )
        connect: Callable[[], Awaitable[None]] = partial(client.connect, server.url, ssl_context=client_tls)
        await connect()
        await arrived.wait()
        if under_test == "client":
            yield Ends(client, accepted[0], partial(cut, client), connect)
        else:
            yield Ends(accepted[0], client, partial(cut, client))
        leave.set()
        await client.close()
        await server.close()
