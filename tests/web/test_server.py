"""`serve_app`: what one connection does is its own trouble, and a stop is orderly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from aip_trio.actors import Actor, StopReason, open_system
from aip_trio.errors import AddressInUse, ConnectionLost, InvalidSpec, NoSystem, WebMissing
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import WebSocketTransport
from aip_trio.web import WebServer, serve_app
from tests.endpoints.support import until
from tests.transport.ends import tls
from tests.web.raw import UPGRADE, connect, exchange, get


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def crash(_: Request) -> Response:
    raise ZeroDivisionError("planted")


async def slow(_: Request) -> Response:
    await trio.sleep(0.2)
    return PlainTextResponse("at last")


async def endless(_: Request) -> Response:
    await trio.sleep_forever()
    raise AssertionError


async def large(_: Request) -> Response:
    return PlainTextResponse("x" * 50_000_000)


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        await websocket.send_text(await websocket.receive_text())


async def deny(websocket: WebSocket) -> None:
    await websocket.close()


async def break_down(websocket: WebSocket) -> None:
    raise KeyError


async def patient_accept(websocket: WebSocket) -> None:
    await trio.sleep(0.05)
    await websocket.accept()
    await websocket.close()


def app() -> Starlette:
    return Starlette(
        routes=[
            Route("/", hello),
            Route("/crash", crash),
            Route("/slow", slow),
            Route("/endless", endless),
            Route("/large", large),
            WebSocketRoute("/ws", patient_accept),
            WebSocketRoute("/echo", echo),
            WebSocketRoute("/deny", deny),
            WebSocketRoute("/break", break_down),
        ]
    )


@asynccontextmanager
async def serving(application: ASGIApp | None = None, **options: Any) -> AsyncGenerator[WebServer]:
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            server = await serve_app(application or app(), nursery=nursery, **options)
            yield server
            await server.close()
            assert server.statistics().connections == 0


@pytest.mark.trio
async def test_it_listens_on_the_loopback_and_says_where() -> None:
    async with serving() as server:
        assert server.host == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert await get(server.url) == (200, b"hello")
        assert (await get(server.url, "/none"))[0] == 404


@pytest.mark.trio
@pytest.mark.parametrize("path", ["/ws", "/echo", "/deny", "/break"])
@pytest.mark.parametrize(
    "parts",
    [[UPGRADE + b"x"], [UPGRADE, b"x"], [UPGRADE, b"x", b"y"], [UPGRADE + b"\x81\x80aaaa"], [UPGRADE, b""]],
    ids=["together", "apart", "twice", "a frame", "nothing"],
)
async def test_bytes_that_come_too_early_are_their_connections_own_trouble(
    path: str, parts: list[bytes]
) -> None:
    """hypercorn's own `serve` ends with some of these: pgjones/hypercorn#225."""
    async with serving(graceful_timeout=30) as server:
        async with await connect(server.url) as bystander, await connect(server.url) as stream:
            await bystander.send_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            for part in parts:
                with suppress(trio.BrokenResourceError):
                    await stream.send_all(part.replace(b"/ws", path.encode()))
                await trio.sleep(0.01)
            with trio.move_on_after(0.1), suppress(trio.BrokenResourceError):
                while await stream.receive_some():
                    pass
            await stream.aclose()
            assert b" 200 " in await bystander.receive_some()
        assert await get(server.url) == (200, b"hello")
        began = trio.current_time()
        await server.close()
        assert trio.current_time() - began < 20  # no application was left behind, waiting


@pytest.mark.trio
@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 100,
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 40,
        b"\x16\x03\x01\x02\x00\x01\x00",
        UPGRADE.replace(b"AAAAAAAAAAAAAAAAAAAAAA==", b""),
        UPGRADE.replace(b": 13", b": 12"),
        UPGRADE[:40],
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nHTTP2-Settings: !\r\nConnection: Upgrade\r\n\r\n",
    ],
    ids=str,
)
async def test_garbage_ends_nothing_but_its_own_connection(garbage: bytes) -> None:
    async with serving(graceful_timeout=0.1) as server:
        async with await connect(server.url) as stream:
            await stream.send_all(garbage)
            with trio.move_on_after(0.05):
                await stream.receive_some()
        assert await get(server.url) == (200, b"hello")


@pytest.mark.trio
async def test_what_an_application_raises_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError(scope["type"])

    async with serving() as server:
        assert (await get(server.url, "/crash"))[0] == 500
    assert "planted" in caplog.text
    async with serving(broken) as server:
        assert (await get(server.url))[0] == 500
        assert b" 500 " in await exchange(server.url, UPGRADE)
        assert (await get(server.url))[0] == 500


@pytest.mark.trio
async def test_closing_says_goodbye_to_every_websocket_and_lets_requests_end() -> None:
    echoed, asked = trio.Event(), trio.Event()

    async def held(_: Request) -> Response:
        asked.set()
        await echoed.wait()
        return PlainTextResponse("at last")

    application = Starlette(routes=[Route("/held", held), WebSocketRoute("/echo", echo)])
    async with trio.open_nursery() as nursery:

        async def drain() -> None:
            async with WebSocketTransport() as late:
                with pytest.raises(OSError, match="cannot connect"):
                    await late.connect(server.url.replace("http", "ws") + "/echo")
            await client.send(b"still there")
            await echoed.wait()

        server = await serve_app(application, nursery=nursery, drain=drain)
        async with WebSocketTransport() as client:
            await client.connect(server.url.replace("http", "ws") + "/echo")
            answers: list[tuple[int, bytes]] = []

            async def ask() -> None:
                answers.append(await get(server.url, "/held"))

            nursery.start_soon(ask)
            await asked.wait()
            began = trio.current_time()
            nursery.start_soon(server.close, 1012, "back soon")
            assert await client.receive() == b"still there"
            echoed.set()
            with pytest.raises(ConnectionLost) as lost:
                await client.receive()
            assert (lost.value.code, lost.value.reason) == (1012, "back soon")
        await server.closed()
        assert answers == [(200, b"at last")]
        assert trio.current_time() - began < 8  # it waited for nothing else


@pytest.mark.trio
async def test_an_application_may_go_on_sending_after_the_goodbye() -> None:
    async def chatter(websocket: WebSocket) -> None:
        await websocket.accept()
        async with trio.open_nursery() as nursery:

            async def listen() -> None:
                async for _ in websocket.iter_text():
                    pass
                nursery.cancel_scope.cancel()

            nursery.start_soon(listen)
            while True:
                await websocket.send_text("more")
                await trio.lowlevel.checkpoint()

    application = Starlette(routes=[WebSocketRoute("/ws", chatter)])
    async with trio.open_nursery() as nursery, WebSocketTransport() as client:
        server = await serve_app(application, nursery=nursery)
        await client.connect(server.url.replace("http", "ws") + "/ws")
        nursery.start_soon(server.close)
        with pytest.raises(ConnectionLost) as lost:
            while True:
                await client.receive()
        assert lost.value.code == 1001
        await server.closed()
        assert server.statistics().failed == 0


@pytest.mark.trio
async def test_what_does_not_end_is_cancelled_and_who_does_not_read_holds_up_nothing() -> None:
    async with serving(graceful_timeout=0.2) as server:
        async with await connect(server.url) as deaf, await connect(server.url) as waits:
            await deaf.send_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
            await waits.send_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            await trio.sleep(0.1)
            with trio.fail_after(20):
                await server.close()
            assert server.statistics().connections == 0


@pytest.mark.trio
async def test_a_drain_that_fails_ends_the_server_all_the_same() -> None:
    async def drain() -> None:
        raise ZeroDivisionError

    async with trio.open_nursery() as nursery:
        server = await serve_app(app(), nursery=nursery, drain=drain)
        with pytest.raises(ZeroDivisionError):
            await server.close()
        await server.closed()
        with pytest.raises(OSError, match="connect"):
            await get(server.url)


@pytest.mark.trio
async def test_closing_twice_or_at_once_is_harmless() -> None:
    async with serving() as server, trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(server.close)


@pytest.mark.trio
async def test_beyond_its_connections_a_server_cuts_off() -> None:
    async with serving(max_connections=1, graceful_timeout=0.1) as server:
        async with await connect(server.url) as stream:
            await stream.send_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(lambda: server.statistics().connections)
            assert await exchange(server.url, b"") == b""
            assert server.statistics().connections == 1
        assert server.statistics().refused == 1


@pytest.mark.trio
async def test_over_tls() -> None:
    server_tls, client_tls = tls()
    async with serving(ssl_context=server_tls, graceful_timeout=0.2) as server:
        assert server.url.startswith("https://")
        async with WebSocketTransport() as client:
            await client.connect(server.url.replace("https", "wss") + "/echo", ssl_context=client_tls)
            await client.send(b"secret")
            assert await client.receive() == b"secret"
        await exchange(server.url, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")  # no TLS
        async with WebSocketTransport() as client:
            await client.connect(server.url.replace("https", "wss") + "/echo", ssl_context=client_tls)


@pytest.mark.trio
async def test_an_actor_serves_as_long_as_it_lives() -> None:
    class Front(Actor):
        async def started(self) -> None:
            self.server = await serve_app(app())
            urls.append(self.server.url)

        async def stopping(self, reason: StopReason | BaseException) -> None:
            await self.server.close()

    urls: list[str] = []
    async with open_system() as system:
        front = await system.spawn(Front)
        assert await get(urls[0]) == (200, b"hello")
        await front.stop()
        with pytest.raises(OSError, match="connect"):
            await get(urls[0])


@pytest.mark.trio
async def test_bad_arguments_say_what_to_give() -> None:
    with pytest.raises(NoSystem):
        await serve_app(app())
    async with trio.open_nursery() as nursery:
        for name, value in (
            ("port", -1),
            ("port", 65536),
            ("max_connections", 0),
            ("max_size", 0),
            ("graceful_timeout", -1),
        ):
            options: dict[str, Any] = {name: value}
            with pytest.raises(InvalidSpec, match=name):
                await serve_app(app(), nursery=nursery, **options)
        first = await serve_app(app(), nursery=nursery)
        with pytest.raises(AddressInUse):
            await serve_app(app(), port=first.port, nursery=nursery)
        await first.close()


def test_cancelled_anywhere_nothing_is_left() -> None:
    async def start(point: CancelPoint) -> None:
        server = None
        async with trio.open_nursery() as nursery:
            with point:
                server = await serve_app(app(), nursery=nursery)
            if server is not None:
                await server.close()

    async def stop(point: CancelPoint) -> None:
        async with trio.open_nursery() as nursery:
            server = await serve_app(app(), nursery=nursery, graceful_timeout=0.1)
            async with await connect(server.url) as stream:
                await stream.send_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
                await trio.sleep(0.01)
                with point:
                    await server.close()
                await server.closed()
            assert server.statistics().connections == 0

    for scenario in (start, stop):
        assert cancel_at_every_checkpoint(scenario, virtual_time=False) > 0


def test_without_hypercorn_the_error_names_the_extra() -> None:
    code = """
import sys
sys.modules["hypercorn"] = None
import trio
from aip_trio.errors import WebMissing
from aip_trio.web import serve_app

async def main():
    try:
        async with trio.open_nursery() as nursery:
            await serve_app(None, nursery=nursery)
    except* WebMissing as group:
        print(group.exceptions[0])

trio.run(main)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "aip-trio[web]" in ran.stdout
    assert issubclass(WebMissing, ImportError)
