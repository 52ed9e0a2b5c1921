"""Connecting: what can be in the way, and where a client's tasks live."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, RejectConnection, RejectData, Request

from aip_trio.actors import Actor, open_system
from aip_trio.errors import (
    AipError,
    ConnectFailed,
    HandshakeRefused,
    IllegalTransition,
    InvalidSpec,
    InvalidUrl,
    NoSystem,
    TransportClosed,
)
from aip_trio.transport import Transport, TransportState, WebSocketTransport, serve_websocket
from tests.transport.ends import echo
from tests.transport.network import FakeNetwork

pytestmark = [pytest.mark.trio, pytest.mark.usefixtures("each_adapter")]

URL = "ws://127.0.0.1:1/ws"


@asynccontextmanager
async def a_server_that(
    answers: Callable[[trio.abc.HalfCloseableStream], Awaitable[object]],
) -> AsyncGenerator[WebSocketTransport]:
    """A client, and at `URL` a server of which only what it does with a stream is there."""
    network = FakeNetwork()
    async with (
        open_system(environment=network),
        trio.open_nursery() as nursery,
        WebSocketTransport() as client,
    ):
        (listener,) = await network.open_tcp_listeners(1)
        await nursery.start(trio.serve_listeners, answers, [listener])
        yield client
        nursery.cancel_scope.cancel()


async def refused(client: WebSocketTransport, **options: object) -> AipError:
    with pytest.raises(AipError) as raised:
        await client.connect(URL, **options)  # type: ignore[arg-type]  # pyright: ignore
    assert client.state is TransportState.ERROR
    with pytest.raises(ConnectionError):
        await client.send(b"x")
    return raised.value


async def test_nobody_listens() -> None:
    network = FakeNetwork()
    async with open_system(environment=network), WebSocketTransport() as client:
        error = await refused(client)
        assert isinstance(error, ConnectFailed)
        assert URL in str(error)
        assert "nobody listens" in error.reason


async def test_nobody_listens_at_a_real_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with WebSocketTransport() as client:
            with pytest.raises(ConnectFailed, match=r"[Cc]onnection refused|[Cc]onnect call failed"):
                await client.connect(f"ws://127.0.0.1:{taken.getsockname()[1]}/")


async def test_a_name_that_is_nobodys() -> None:
    async with WebSocketTransport() as client:
        with pytest.raises(ConnectFailed, match=r"nobody\.invalid"):
            await client.connect("ws://nobody.invalid/")


async def reject(stream: trio.abc.HalfCloseableStream, body: bytes, end: bool = True) -> None:
    websocket = WSConnection(ConnectionType.SERVER)
    websocket.receive_data(bytes(await stream.receive_some()))
    assert [type(event) for event in websocket.events()] == [Request]
    length = len(body) if end else len(body) + 1
    headers = [(b"content-length", b"%d" % length)]
    await stream.send_all(websocket.send(RejectConnection(401, headers, has_body=True)))
    await stream.send_all(websocket.send(RejectData(body, body_finished=False)))


@pytest.mark.parametrize("end", [True, False], ids=["whole", "cut off"])
async def test_a_refusal_has_status_and_text(end: bool) -> None:
    async def answers(stream: trio.abc.HalfCloseableStream) -> None:
        await reject(stream, b"who are you?", end)
        await stream.aclose()

    async with a_server_that(answers) as client:
        error = await refused(client)
        assert isinstance(error, HandshakeRefused)
        assert (error.url, error.status, error.body) == (URL, 401, "who are you?")


async def test_of_an_endless_refusal_only_the_beginning_is_read(autojump_clock: MockClock) -> None:
    async def answers(stream: trio.abc.HalfCloseableStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await reject(stream, b"no " * 100_000, end=False)

    async with a_server_that(answers) as client:
        error = await refused(client)
        assert isinstance(error, HandshakeRefused)
        assert len(error.body) <= 4096
        assert trio.current_time() == 0


def says(answer: bytes) -> Callable[[trio.abc.HalfCloseableStream], Awaitable[object]]:
    async def answers(stream: trio.abc.HalfCloseableStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)
        await stream.aclose()

    return answers


SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", "ended in the middle of the handshake"),
        (b"", "so does a server that has a certificate: connect to it by wss://"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "speaks no WebSocket"),
        (b"x" * 20_000, "head of more than"),
        (SWITCHING, "ended in the middle"),
        (b"HTTP/1.1 101\r\n\r\n", "speaks no WebSocket"),
        (SWITCHING + b"Sec-WebSocket-Accept: wrong\r\n\r\n", "speaks no WebSocket"),
        (SWITCHING + b"Sec-WebSocket-Protocol: \xff\r\n\r\n", "speaks no WebSocket"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", "103"),
        (b"\r\n\r\n", "speaks no WebSocket"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"),
        (b"HTTP/1.1 404 Not Found\r\n\r\nto the end", "to the end"),
        (b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc", "abc"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nfewer", "fewer"),
    ],
)
async def test_what_speaks_no_websocket(answer: bytes, text: str) -> None:
    async with a_server_that(says(answer)) as client:
        assert text in str(await refused(client))


async def test_a_plain_web_server_is_a_refusal() -> None:
    async with a_server_that(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")) as client:
        error = await refused(client)
        assert isinstance(error, HandshakeRefused)
        assert (error.status, error.body) == (200, "hello")


async def test_a_server_that_says_nothing(autojump_clock: MockClock) -> None:
    async def answers(stream: trio.abc.HalfCloseableStream) -> None:
        await trio.sleep_forever()

    async with a_server_that(answers) as client:
        assert "connect_timeout=7" in str(await refused(client, connect_timeout=7))
        assert trio.current_time() == 7


async def test_close_calls_an_attempt_off(autojump_clock: MockClock) -> None:
    async def answers(stream: trio.abc.HalfCloseableStream) -> None:
        await trio.sleep_forever()

    async with a_server_that(answers) as client, trio.open_nursery() as nursery:
        errors: list[AipError] = []

        async def connect() -> None:
            errors.append(await refused(client))

        nursery.start_soon(connect)
        await wait_all_tasks_blocked()
        assert client.state is TransportState.CONNECTING
        with pytest.raises(IllegalTransition):
            await client.connect(URL)
        with pytest.raises(TransportClosed, match="connecting"):
            await client.receive()
        await client.close()
        await wait_all_tasks_blocked()
        assert "called off" in str(errors[0])
        assert trio.current_time() == 0


async def test_frames_that_come_with_the_end_of_the_handshake_are_not_lost() -> None:
    async def answers(stream: trio.abc.HalfCloseableStream) -> None:
        websocket = WSConnection(ConnectionType.SERVER)
        websocket.receive_data(bytes(await stream.receive_some()))
        list(websocket.events())
        accepted = websocket.send(AcceptConnection())
        await stream.send_all(accepted + b"\x81\x05hello\x81\x02h")
        await trio.sleep_forever()

    async with a_server_that(answers) as client:
        await client.connect(URL)
        assert await client.receive() == b"hello"


@pytest.mark.parametrize(
    "options",
    [
        {"headers": [("X-Bad\r\nX-Injected", "secret")]},
        {"headers": [("X", "secret\r\nX-Injected: 1")]},
        {"headers": [("X", "secret\0")]},
        {"headers": [("", "secret")]},
        {"headers": [("Ä", "secret")]},
        {"headers": [("X", "secret€")]},
        {"subprotocols": "aip.v1"},
        {"subprotocols": ["a, b"]},
        {"connect_timeout": -1},
        {"connect_timeout": float("nan")},
    ],
    ids=str,
)
async def test_options_that_are_none_are_the_callers_mistake(options: dict[str, object]) -> None:
    async with WebSocketTransport() as client:
        with pytest.raises(InvalidSpec, match=next(iter(options))) as raised:
            await client.connect(URL, **options)  # type: ignore[arg-type]  # pyright: ignore
        assert "secret" not in str(raised.value)
        assert client.state is TransportState.DISCONNECTED
        with pytest.raises(InvalidSpec, match="timeout"):
            await client.ping(timeout=-1)


NO_URLS: list[object] = [
    *("", "127.0.0.1:80", "http://x", "ws://", "ws:///x", "ws://x:port", "ws://x:99999", "ws://x/#y"),
    *("ws://a b", "ws://user:secret@x", "ws://ä.example", "ws://x/\n", "ws://a..b", "ws://[::1", None, 3),
]


@pytest.mark.parametrize("url", NO_URLS, ids=repr)
async def test_what_is_no_url_is_the_callers_mistake_and_leaves_the_transport_as_it_was(url: str) -> None:
    async with WebSocketTransport() as client:
        with pytest.raises(InvalidUrl) as raised:
            await client.connect(url)
        assert "secret" not in str(raised.value)
        assert client.state is TransportState.DISCONNECTED


# Where its tasks live


async def test_outside_of_everything_it_has_no_place() -> None:
    client = WebSocketTransport()
    with pytest.raises(NoSystem, match="async with transport"):
        await client.connect(URL)
    assert client.state is TransportState.DISCONNECTED
    await client.close()
    await client.wait_closed()


def tasks(nursery: trio.Nursery) -> int:
    """How many that run a connection."""
    runners = ("NativeWebSocket.run", "HostedWebSocket.run")
    return sum(task.name.endswith(runners) for task in nursery.child_tasks)


async def test_in_a_system_it_lives_there_and_ends_with_it() -> None:
    network = FakeNetwork()
    async with open_system(environment=network) as system:
        await serve_websocket(echo, port=1)
        client = WebSocketTransport()
        await client.connect(URL)
        await client.send(b"hello")
        assert await client.receive() == b"hello"
        assert tasks(system.nursery) == 1
    assert client.state is TransportState.DISCONNECTED
    assert network.clients[0].closed
    with pytest.raises(TransportClosed):
        await client.receive()


async def test_in_an_actor_it_lives_there_and_ends_with_it() -> None:
    network = FakeNetwork()
    client = WebSocketTransport()

    class Owner(Actor):
        async def started(self) -> None:
            await client.connect(URL)
            assert tasks(self.nursery) == 1

    async with open_system(environment=network) as system:
        await serve_websocket(echo, port=1)
        owner = await system.spawn(Owner, name="owner")
        assert tasks(system.nursery) == 0
        await owner.stop()
        assert client.state is TransportState.DISCONNECTED
        assert network.clients[0].closed


async def test_in_its_own_block_it_lives_there_even_inside_a_system() -> None:
    network = FakeNetwork()
    async with open_system(environment=network) as system:
        await serve_websocket(echo, port=1)
        async with WebSocketTransport() as client:
            await client.connect(URL)
            assert tasks(system.nursery) == 0
        assert network.clients[0].closed
        async with client:  # once more
            await client.connect(URL)
            await client.send(b"hello")
            assert await client.receive() == b"hello"


async def test_an_error_of_the_block_leaves_it_bare() -> None:
    async with open_system(environment=FakeNetwork()):
        await serve_websocket(echo, port=1)
        client = WebSocketTransport()
        with pytest.raises(ZeroDivisionError, match="planted"):
            async with client:
                await client.connect(URL)
                raise ZeroDivisionError("planted")
        assert client.state is TransportState.DISCONNECTED


async def test_a_transport_of_ones_own_needs_little() -> None:
    class Loop(Transport):
        """What is sent is received."""

        def __init__(self) -> None:
            self.messages: list[bytes] = []
            self.open = False

        async def connect(self, url: str, **options: object) -> None:
            self.open = True

        async def send(self, data: bytes) -> None:
            self.messages.append(data)

        async def receive(self) -> bytes:
            return self.messages.pop(0)

        async def close(self) -> None:
            self.open = False

        @property
        def is_connected(self) -> bool:
            return self.open

    async with Loop() as loop:
        assert loop.state is TransportState.DISCONNECTED
        with pytest.raises(TransportClosed):
            await loop.ping()
        await loop.connect("loop://")
        await loop.send(b"x")
        assert await loop.receive() == b"x"
        assert loop.state.name == "CONNECTED"
        await loop.ping()
        with pytest.raises(IllegalTransition):
            loop.reset()
        assert loop.last_heard < 0
    assert not loop.open
    await loop.wait_closed()
