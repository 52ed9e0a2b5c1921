"""A connection that breaks at any byte of what either side writes, from the first of the handshake on."""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.actors import open_system
from aip_trio.errors import TransportError
from aip_trio.transport import TransportState, WebSocketServer, WebSocketTransport, serve_websocket
from tests.transport.ends import tls
from tests.transport.network import FakeNetwork, FakeStream

pytestmark = pytest.mark.usefixtures("each_codec")

MESSAGES = [b"one", b"\xfftwo" * 40, b"three" * 30]
OVER = (TransportState.DISCONNECTED, TransportState.ERROR)


class CutNetwork(FakeNetwork):
    """Cuts its first connection after so many bytes of one side."""

    def __init__(self, side: str, count: float, breaks: bool) -> None:
        super().__init__()
        self.side = side
        self.count = count
        self.breaks = breaks

    async def open_tcp_stream(self, host: str, port: int) -> FakeStream:
        stream = await super().open_tcp_stream(host, port)
        if len(self.clients) == 1:
            pipe = stream.outgoing if self.side == "client" else stream.incoming
            pipe.limit = self.count
            pipe.at_limit = stream.cut if self.breaks else stream.end
        return stream


class Conversation:
    """A client sends, the server echoes, the client closes; what each of them got, and how it ended."""

    def __init__(self) -> None:
        self.at_server: list[bytes] = []
        self.at_client: list[bytes] = []
        self.errors: list[TransportError] = []
        self.accepted: list[WebSocketTransport] = []

    async def serve(self, transport: WebSocketTransport) -> None:
        self.accepted.append(transport)
        try:
            while True:
                message = await transport.receive()
                self.at_server.append(message)
                await transport.send(message)
        except TransportError as error:
            self.errors.append(error)
        await transport.wait_closed()

    async def talk(self, client: WebSocketTransport, url: str, context: ssl.SSLContext | None = None) -> None:
        try:
            await client.connect(url, ssl_context=context)
            for message in MESSAGES:
                await client.send(message)
                self.at_client.append(await client.receive())
        except TransportError as error:
            self.errors.append(error)
        await client.close()

    def check(self, client: WebSocketTransport, server: WebSocketServer) -> None:
        """Nothing came in part or twice, everything has ended."""
        for got in (self.at_server, self.at_client):
            assert got == MESSAGES[: len(got)]
        assert len(self.at_client) <= len(self.at_server)
        assert all(transport.state in OVER for transport in (client, *self.accepted))
        assert server.statistics().connections == 0


async def cut(side: str, count: float, breaks: bool) -> int:
    """Have a conversation cut; return how many bytes that side has written."""
    network = CutNetwork(side, count, breaks)
    conversation = Conversation()
    with trio.fail_after(60):
        async with open_system(environment=network):
            server = await serve_websocket(conversation.serve, port=1)
            async with WebSocketTransport() as client:
                await conversation.talk(client, server.url)
            await wait_all_tasks_blocked()
            conversation.check(client, server)
            assert all(stream.closed for stream in network.clients + network.servers)
            async with WebSocketTransport() as client:  # the server lives on
                await client.connect(server.url)
                await client.send(b"again")
                assert await client.receive() == b"again"
            stream = network.clients[0]
            return (stream.outgoing if side == "client" else stream.incoming).written


@pytest.mark.parametrize("breaks", [True, False], ids=["reset", "end"])
@pytest.mark.parametrize("side", ["client", "server"])
def test_in_memory(side: str, breaks: bool) -> None:
    def run(count: float) -> int:
        return trio.run(partial(cut, side, count, breaks), clock=MockClock(autojump_threshold=0))

    total = run(math.inf)
    frames = sum(map(len, MESSAGES))
    for count in range(0, total - frames, 11):
        assert run(count) <= count
    for count in range(total - frames, total, 3):
        assert run(count) <= count
    assert run(total) == total


@asynccontextmanager
async def relay(port: int, side: str, count: int) -> AsyncGenerator[int]:
    """A port that leads to another one, until one side has sent so many bytes."""
    left: dict[str, float] = {"client": math.inf, "server": math.inf, side: count}

    async def serve(client: trio.SocketStream) -> None:
        async with (
            client,
            await trio.open_tcp_stream("127.0.0.1", port) as server,
            trio.open_nursery() as both,
        ):
            both.start_soon(pass_on, "client", client, server, both.cancel_scope)
            both.start_soon(pass_on, "server", server, client, both.cancel_scope)

    async def pass_on(
        name: str, source: trio.SocketStream, sink: trio.SocketStream, both: trio.CancelScope
    ) -> None:
        with suppress(trio.BrokenResourceError):
            async for data in source:
                passed = data[: int(min(len(data), left[name]))]
                left[name] -= len(passed)
                await sink.send_all(passed)
                if not left[name]:
                    break
        both.cancel()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(trio.serve_listeners, serve, [listener])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@pytest.mark.trio
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("side", ["client", "server"])
async def test_on_sockets(side: str, secure: bool) -> None:
    server_tls, client_tls = tls() if secure else (None, None)
    conversations: list[Conversation] = []

    async def serve(transport: WebSocketTransport) -> None:
        await conversations[-1].serve(transport)
        gone.set()

    async with trio.open_nursery() as nursery:
        server = await serve_websocket(serve, nursery=nursery, ssl_context=server_tls)
        for count in range(1, 3000 if secure else 700, 331 if secure else 53):
            conversations.append(Conversation())
            gone = trio.Event()
            with trio.fail_after(20):
                async with relay(server.port, side, count) as port:
                    url = server.url.replace(f":{server.port}/", f":{port}/")
                    async with WebSocketTransport(close_timeout=1.0) as client:
                        await conversations[-1].talk(client, url, client_tls)
                if conversations[-1].accepted:
                    await gone.wait()
            await wait_all_tasks_blocked(0.005)
            conversations[-1].check(client, server)
        assert any(conversation.accepted for conversation in conversations)
        await server.close()
