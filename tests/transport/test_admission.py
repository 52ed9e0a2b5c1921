"""Handshakes at a server: who is let in, and what is refused."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.actors import open_system
from aip_trio.errors import (
    HandshakeRefused,
    InvalidSpec,
)
from aip_trio.transport import Handshake, Refusal, WebSocketTransport, serve_websocket
from tests.transport.ends import echo
from tests.transport.network import FakeNetwork
from tests.transport.raw import RawPeer, knock

pytestmark = [pytest.mark.trio, pytest.mark.usefixtures("each_adapter")]


OLD = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 8\r\n\r\n"
)


def refuse(_: Handshake) -> Refusal | None:
    return Refusal(401, "who are you?")


def welcome(_: Handshake) -> Refusal | None:
    return None


@pytest.mark.parametrize(
    ("options", "headers", "target", "host", "status"),
    [
        ({}, [], "/elsewhere", "", 404),
        ({}, [], "/ws?token=x", "", 101),
        ({"path": None}, [], "/elsewhere", "", 101),
        ({}, [(b"Origin", b"https://evil.example")], "/ws", "", 403),
        (
            {"allowed_origins": ["https://good.example"]},
            [(b"Origin", b"https://good.example")],
            "/ws",
            "",
            101,
        ),
        ({"allowed_origins": ["https://good.example"]}, [(b"Origin", b"null")], "/ws", "", 403),
        ({}, [], "/ws", "evil.example:80", 403),
        ({}, [], "/ws", "localhost:1", 101),
        ({}, [], "/ws", "[::1]:1", 101),
        ({}, [], "/ws", "[", 403),
        ({"allowed_hosts": ["Fleet.example"]}, [], "/ws", "fleet.example", 101),
        ({"allowed_hosts": ["fleet.example"]}, [], "/ws", "127.0.0.1", 403),
        ({"host": "0.0.0.0"}, [], "/ws", "anything.example", 101),
        ({"admit": refuse}, [], "/ws", "", 401),
        ({"admit": welcome}, [], "/ws", "", 101),
    ],
)
async def test_who_is_let_in(
    options: dict[str, object], headers: list[tuple[bytes, bytes]], target: str, host: str, status: int
) -> None:
    async with open_system(environment=FakeNetwork()):
        server = await serve_websocket(echo, port=1, **options)  # type: ignore[arg-type]  # pyright: ignore
        answer = await knock(server, headers=headers, target=target, host=host)
        assert status == (101 if isinstance(answer, RawPeer) else answer[0])
        await wait_all_tasks_blocked()
        statistics = server.statistics()
        assert (statistics.refused, statistics.failed) == (int(status != 101), 0)


async def test_admit_sees_what_the_client_asks_for() -> None:
    seen: list[Handshake] = []

    def admit(handshake: Handshake) -> Refusal | None:
        seen.append(handshake)
        return Refusal(401, "say please")

    async with trio.open_nursery() as nursery, WebSocketTransport() as client:
        server = await serve_websocket(echo, nursery=nursery, admit=admit)
        with pytest.raises(HandshakeRefused) as raised:
            await client.connect(
                server.url + "?a=b",
                headers=[("Authorization", "Bearer secret"), ("X-Twice", "1"), ("X-Twice", "2")],
                subprotocols=["aip.v2+json", "aip.v1"],
            )
        assert (raised.value.status, raised.value.body) == (401, "say please")
        (handshake,) = seen
        assert (handshake.path, handshake.query) == ("/ws", "a=b")
        assert handshake.header("authorization") == "Bearer secret"
        assert handshake.header("X-TWICE") == "1, 2"
        assert handshake.header("host") == f"127.0.0.1:{server.port}"
        assert handshake.header("absent") is None
        assert handshake.subprotocols == ("aip.v2+json", "aip.v1")
        assert handshake.peer.startswith("127.0.0.1:")
        assert "secret" not in repr(handshake)
        nursery.cancel_scope.cancel()


async def test_where_admit_crashes_nobody_is_let_in_and_the_server_lives_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def admit(handshake: Handshake) -> Refusal | None:
        raise ZeroDivisionError("planted")

    async with open_system(environment=FakeNetwork()):
        server = await serve_websocket(echo, port=1, admit=admit)
        for _ in range(2):
            assert await knock(server) == (500, "the server failed")
    assert "planted" in caplog.text


@pytest.mark.parametrize("status", [0, 200, 399, 600])
async def test_a_refusal_is_one(status: int) -> None:
    with pytest.raises(InvalidSpec, match="status"):
        Refusal(status, "no")


@pytest.mark.parametrize(
    ("speaks", "offered", "agreed"),
    [
        ((), (), None),
        (("a", "b"), ("b", "a"), "a"),
        (("a", "b"), ("b",), "b"),
        (("a",), ("c",), None),
        ((), ("c",), None),
    ],
)
async def test_the_first_subprotocol_of_the_server_that_the_client_offers_is_agreed_on(
    speaks: tuple[str, ...], offered: tuple[str, ...], agreed: str | None
) -> None:
    async with trio.open_nursery() as nursery, WebSocketTransport() as client:
        got: list[str | None] = []

        async def handler(transport: WebSocketTransport) -> None:
            got.append(transport.subprotocol)
            await transport.wait_closed()

        server = await serve_websocket(handler, nursery=nursery, subprotocols=speaks)
        await client.connect(server.url, subprotocols=offered)
        assert client.subprotocol == agreed
        await client.close()
        assert got == [agreed]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("request_text", "status", "by_websockets"),
    [
        (b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400, 426),
        (b"POST /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n", 400, 405),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, 400),
        (b"GET /ws HTTP/1.1\r\nHost: \xff\xff\xff\r\n\r\n", 400, 426),
        (b"GET /ws HTTP/1.1\r\nX: " + b"x" * 20_000, 431, 431),
        (b"\r\n\r\n", 400, 400),
        (OLD, 426, 400),
        (OLD.replace(b"Version: 8", b"Version: 13").replace(b"Host:", b"X-Host:"), 400, 400),
    ],
)
async def test_what_is_no_websocket_handshake_is_told_so(
    request_text: bytes, status: int, by_websockets: int, each_adapter: str, autojump_clock: MockClock
) -> None:
    network = FakeNetwork()
    async with open_system(environment=network):
        server = await serve_websocket(echo, port=1)
        stream = await network.open_tcp_stream("127.0.0.1", 1)
        await stream.send_all(request_text)
        answer = b""
        while data := await stream.receive_some():
            answer += data
        assert answer.startswith(
            b"HTTP/1.1 %d " % (by_websockets if each_adapter == "websockets" else status)
        )
        assert b"this is a WebSocket server" in answer
        assert server.statistics().refused == 1
        await wait_all_tasks_blocked()
        assert server.statistics().connections == 0


async def test_compression_is_never_agreed_on() -> None:
    network = FakeNetwork()
    async with open_system(environment=network):
        await serve_websocket(echo, port=1)
        stream = await network.open_tcp_stream("127.0.0.1", 1)
        offer = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        await stream.send_all(OLD.replace(b"Version: 8\r\n", b"Version: 13\r\n" + offer))
        answer = await stream.receive_some()
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert b"deflate" not in answer


@pytest.mark.parametrize("said", [b"", b"GET /ws HTTP/1.1\r\nHost: x\r\n"])
async def test_a_handshake_that_does_not_end_in_time_is_cut_off(
    said: bytes, autojump_clock: MockClock
) -> None:
    network = FakeNetwork()
    async with open_system(environment=network):
        server = await serve_websocket(echo, port=1, handshake_timeout=10)
        stream = await network.open_tcp_stream("127.0.0.1", 1)

        async def trickle() -> None:
            for byte in said * 1000:
                await stream.send_all(bytes([byte]))
                await trio.sleep(0.7)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trickle)
            assert not await stream.receive_some()
            assert trio.current_time() == 10
            nursery.cancel_scope.cancel()
        assert server.statistics().failed == 1


async def test_a_client_that_leaves_in_its_handshake_is_nobodys_trouble() -> None:
    network = FakeNetwork()
    async with open_system(environment=network):
        server = await serve_websocket(echo, port=1)
        for said in (b"", b"GET /ws"):
            stream = await network.open_tcp_stream("127.0.0.1", 1)
            await stream.send_all(said)
            await stream.aclose()
            await wait_all_tasks_blocked()
        assert server.statistics().failed == 2
        assert isinstance(await knock(server), RawPeer)
