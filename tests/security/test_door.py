"""Pages in browsers, and names that lead here: with each adapter, and over plain bytes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.transport import ADAPTERS, WebSocketServer, WebSocketTransport, serve_websocket
from tests.endpoints.support import patient, serving, until
from tests.security.attacker import attacker, head

pytestmark = pytest.mark.trio

PAGE = "https://fleet.example"


@asynccontextmanager
async def door(adapter: Any, **options: Any) -> AsyncGenerator[WebSocketServer]:
    """A server that this adapter's library greets its clients for."""
    async with patient():
        server = await serve_websocket(WebSocketTransport.wait_closed, adapter=adapter, **options)
        yield server
        await server.close()


async def knock(port: int, request: bytes) -> int:
    """The status that a request is answered with."""
    async with attacker(port) as it:
        await it.write(request)
        with trio.fail_after(3):
            return await it.status()


ORIGINS = [
    ("https://evil.example", 403),
    ("null", 403),
    ("", 403),
    ("file://", 403),
    ("http://fleet.example", 403),  # another scheme
    ("https://fleet.example:8443", 403),  # another port
    ("https://fleet.example.evil.example", 403),
    ("https://evil.example/https://fleet.example", 403),
    ("https://fleet.example, https://evil.example", 403),
    ("https://fleet.example\tx", 403),
    (PAGE, 101),
    ("HTTPS://Fleet.Example", 101),
]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(("origin", "status"), ORIGINS)
async def test_a_page_comes_in_from_an_origin_that_was_named(adapter: str, origin: str, status: int) -> None:
    async with door(adapter, allowed_origins=[PAGE]) as server:
        assert await knock(server.port, head(f"Origin: {origin}")) == status
        assert server.statistics().refusals == ({} if status == 101 else {"origin": 1})


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_no_page_comes_in_where_none_was_named(adapter: str) -> None:
    async with door(adapter) as server:
        for origin in (PAGE, "null", f"http://127.0.0.1:{server.port}", "http://localhost"):
            assert await knock(server.port, head(f"Origin: {origin}")) == 403
        assert await knock(server.port, head("ORIGIN: https://evil.example")) == 403
        assert await knock(server.port, head()) == 101


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_two_origins_are_none_that_was_named(adapter: str) -> None:
    async with door(adapter, allowed_origins=[PAGE]) as server:
        for first, second in ((PAGE, "https://evil.example"), ("https://evil.example", PAGE), (PAGE, PAGE)):
            assert await knock(server.port, head(f"Origin: {first}", f"Origin: {second}")) in (400, 403)


HOSTS = [
    ("127.0.0.1", 101),
    ("127.0.0.1:8765", 101),
    ("localhost", 101),
    ("LOCALHOST:1", 101),
    ("[::1]", 101),
    ("[::1]:8765", 101),
    ("evil.example", 403),  # made to lead here (DNS rebinding)
    ("127.0.0.1.evil.example", 403),
    ("localhost.evil.example:8765", 403),
    ("evil.example@127.0.0.1:80", 403),
    ("127.0.0.1@evil.example", 403),
    ("127.0.0.2", 403),
    ("2130706433", 403),  # 127.0.0.1 as one number
    ("0x7f.1", 403),
    ("[::ffff:127.0.0.1]", 403),
    ("[::1", 403),
    ("localhost/", 403),
    ("localhost#", 403),
    ("localhost?", 403),
    ("", 403),
]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(("host", "status"), HOSTS)
async def test_on_the_loopback_a_server_answers_to_its_names_alone(
    adapter: str, host: str, status: int
) -> None:
    async with door(adapter) as server:
        answer = await knock(server.port, head(host=host))
        assert answer == 101 if status == 101 else answer in (400, 403)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    "hosts",
    [
        ["127.0.0.1", "evil.example"],
        ["evil.example", "127.0.0.1"],
        ["127.0.0.1", "127.0.0.1"],
        [],
    ],
)
async def test_a_request_has_one_host(adapter: str, hosts: list[str]) -> None:
    async with door(adapter) as server:
        headers = [f"Host: {host}" for host in hosts]
        assert await knock(server.port, head(*headers, host=None)) in (400, 403)


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_names_of_a_server_are_those_that_were_given(adapter: str) -> None:
    async with door(adapter, allowed_hosts=["Fleet.Example"]) as server:
        assert await knock(server.port, head(host="fleet.example:443")) == 101
        for host in ("127.0.0.1", "localhost", "fleet.example.evil.example", "fleet.example."):
            assert await knock(server.port, head(host=host)) == 403
        assert server.statistics().refusals == {"host": 4}


async def test_whatever_address_of_the_loopback_it_has_rebinding_does_not_work() -> None:
    async with door("native", host="127.0.0.2") as server:
        assert server.host == "127.0.0.2"
        for host, status in (("127.0.0.2", 101), ("localhost", 101), ("evil.example", 403)):
            raw = trio.socket.socket()
            await raw.connect(("127.0.0.2", server.port))
            async with trio.SocketStream(raw) as stream:
                await stream.send_all(head(host=host))
                assert (await stream.receive_some()).startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    "request_text",
    [
        head("Origin: https://evil.example\r\n continued"),
        head("Host : 127.0.0.1"),
        head("X: a\x00b"),
        head("Transfer-Encoding: chunked", "Content-Length: 5"),
        head(path="//evil.example/ws"),
        head(path="http://evil.example/ws"),
        head(path="/ws/../admin"),
        head(path="/ws\\"),
        head(path="/%77s"),
        head(key=False),
    ],
)
async def test_a_request_with_two_readings_gets_nowhere(adapter: str, request_text: bytes) -> None:
    async with door(adapter) as server:
        assert 400 <= await knock(server.port, request_text) < 500


async def test_the_endpoint_hands_these_rules_on() -> None:
    options: dict[str, Any] = {"allowed_origins": [PAGE], "allowed_hosts": ["fleet.example"]}
    async with serving(**options) as server:
        assert isinstance(server, DeviceServerEndpoint)
        assert await knock(server.port, head(f"Origin: {PAGE}", host="fleet.example")) == 101
        assert await knock(server.port, head("Origin: null", host="fleet.example")) == 403
        assert await knock(server.port, head(host="127.0.0.1")) == 403
        assert await knock(server.port, b"GET / HTTP/1.1\r\n\r\n") == 400
        assert await knock(server.port, head(path="/", host="fleet.example")) == 404
        await until(lambda: server.statistics().refused.get("request"))
        assert server.statistics().refused == {"origin": 1, "host": 1, "request": 1, "path": 1}
