"""Plain peers, made of wsproto and a stream: they say what they are told to, right or wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import attrs
import trio
from trio.testing import wait_all_tasks_blocked
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.extensions import Extension

from aip_trio.actors import ActorSystem, current_environment, open_system
from aip_trio.transport import WebSocketServer, WebSocketTransport, serve_websocket
from tests.transport.network import FakeListener, FakeNetwork

PORT = 1


@attrs.define
class RawPeer:
    """One end of a connection, whose handshake is done."""

    stream: trio.abc.HalfCloseableStream
    websocket: WSConnection
    _events: deque[Event] = attrs.field(factory=lambda: deque[Event](), init=False)

    async def send(self, event: Event) -> None:
        await self.stream.send_all(self.websocket.send(event))

    async def write(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def event(self) -> Event | None:
        """The next event; None at the end of the stream."""
        while not self._events:
            data = await self.stream.receive_some(65536)
            if not data:
                return None
            self.websocket.receive_data(bytes(data))
            self._events.extend(self.websocket.events())
        return self._events.popleft()

    async def closing(self) -> CloseConnection:
        """The close frame that comes, after whatever else."""
        while (event := await self.event()) is not None:
            if isinstance(event, CloseConnection):
                return event
        raise AssertionError("the stream ended without a close frame")

    async def eof(self) -> None:
        """Wait until the other side has closed its socket."""
        while await self.stream.receive_some(65536):
            pass

    async def text(self, data: str) -> None:
        await self.send(TextMessage(data))

    async def binary(self, data: bytes) -> None:
        await self.send(BytesMessage(data))


async def knock(
    server: WebSocketServer,
    *,
    headers: list[tuple[bytes, bytes]] | None = None,
    target: str = "/ws",
    host: str = "",
    extensions: Sequence[Extension] = (),
) -> RawPeer | tuple[int, str]:
    """Connect to a server of ours as a plain client: a peer, or the status and text of its refusal."""
    stream = await current_environment().open_tcp_stream(server.host, server.port)
    websocket = WSConnection(ConnectionType.CLIENT)
    request = Request(
        host or f"{server.host}:{server.port}", target, extra_headers=headers or [], extensions=[*extensions]
    )
    await stream.send_all(websocket.send(request))
    status, body = 0, b""
    while True:
        data = await stream.receive_some(65536)
        assert data
        websocket.receive_data(bytes(data))
        for event in websocket.events():
            if isinstance(event, AcceptConnection):
                await wait_all_tasks_blocked()  # the handler runs
                return RawPeer(stream, websocket)
            if isinstance(event, RejectConnection):
                status = event.status_code
            if isinstance(event, RejectData):
                body += event.data
                if event.body_finished:
                    await stream.aclose()
                    return status, body.decode()


@attrs.define
class Met:
    """A transport, and the plain peer that it talks to."""

    transport: WebSocketTransport
    peer: RawPeer
    system: ActorSystem


@asynccontextmanager
async def met(
    side: str,
    *,
    ping_interval: float | None = None,
    ping_timeout: float | None = None,
    max_size: int = 1 << 20,
) -> AsyncGenerator[Met]:
    """A transport on this ``side``, over pipes. Its tasks live in a system, which is left with the block."""
    async with open_system(environment=FakeNetwork()) as system, trio.open_nursery() as nursery:
        if side == "client":
            (listener,) = await current_environment().open_tcp_listeners(PORT)
            assert isinstance(listener, FakeListener)
            transport = WebSocketTransport(None, ping_interval, ping_timeout, 10.0, max_size)
            nursery.start_soon(transport.connect, f"ws://127.0.0.1:{PORT}/")
            stream = await listener.accept()
            peer = await answered(stream)
            await wait_all_tasks_blocked()
            yield Met(transport, peer, system)
            await transport.close()
        else:
            accepted: list[WebSocketTransport] = []
            leave = trio.Event()

            async def handler(transport: WebSocketTransport) -> None:
                accepted.append(transport)
                await leave.wait()

            server = await serve_websocket(
                handler, port=PORT, ping_interval=ping_interval, ping_timeout=ping_timeout, max_size=max_size
            )
            client = await knock(server)
            assert isinstance(client, RawPeer)
            yield Met(accepted[0], client, system)
            leave.set()
            await server.close()


async def answered(stream: trio.abc.HalfCloseableStream) -> RawPeer:
    """Accept a client of ours as a plain server."""
    websocket = WSConnection(ConnectionType.SERVER)
    while True:
        websocket.receive_data(bytes(await stream.receive_some(65536)))
        for event in websocket.events():
            assert isinstance(event, Request)
            await stream.send_all(websocket.send(AcceptConnection()))
            return RawPeer(stream, websocket)
