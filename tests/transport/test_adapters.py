"""The adapters by their names: each passes the one suite, on either side, and talks to all others."""

from __future__ import annotations

import logging
import subprocess
import sys
import tomllib
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import product
from pathlib import Path
from typing import cast

import pytest
import trio

from aip_trio.actors import current_environment, open_system
from aip_trio.errors import AdapterMissing, InvalidSpec
from aip_trio.transport import (
    ADAPTERS,
    AdapterName,
    WebSocketTransport,
    check_adapter,
    serve_websocket,
)
from tests.transport.conformance import Ends, TransportConformance
from tests.transport.ends import echo, websocket_ends
from tests.transport.network import FakeNetwork

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


class OverPipes(TransportConformance):
    client: AdapterName = "native"
    server: AdapterName = "native"
    under_test = "client"

    @asynccontextmanager
    async def ends(self) -> AsyncGenerator[Ends]:
        ends = websocket_ends(
            under_test=self.under_test, client_adapter=self.client, server_adapter=self.server
        )
        async with open_system(environment=FakeNetwork()), ends as both:
            yield both


class TestWebsocketsClient(OverPipes):
    client: AdapterName = "websockets"


class TestWebsocketsServer(OverPipes):
    server: AdapterName = "websockets"
    connects = False
    under_test = "server"


class OverSockets(TransportConformance):
    cushion = 0.02
    client: AdapterName = "native"
    server: AdapterName = "native"
    secure = False
    under_test = "client"

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return websocket_ends(
            secure=self.secure,
            under_test=self.under_test,
            client_adapter=self.client,
            server_adapter=self.server,
        )


class TestWebsocketsOnBothSides(OverSockets):
    client: AdapterName = "websockets"
    server: AdapterName = "websockets"


class TestWebsocketsOverTls(OverSockets):
    client: AdapterName = "websockets"
    server: AdapterName = "websockets"
    secure = True
    connects = False
    under_test = "server"


class Hosted(OverSockets):
    sends_can_be_cancelled = False
    pings_pass_messages = False


class TestTrioWebsocketClient(Hosted):
    client: AdapterName = "trio-websocket"


class TestTrioWebsocketServer(Hosted):
    server: AdapterName = "trio-websocket"
    connects = False
    under_test = "server"


@pytest.mark.trio
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("client", "server"), list(product(ADAPTERS, repeat=2)))
async def test_each_talks_to_each(client: AdapterName, server: AdapterName, secure: bool) -> None:
    ends = websocket_ends(secure=secure, client_adapter=client, server_adapter=server)
    async with ends as both:
        for size in (0, 5, 126, 70_000):
            for message in ("ü".encode() * size, b"\xff" * size):
                await both.mine.send(message)
                assert await both.peer.receive() == message
                await both.peer.send(message)
                assert await both.mine.receive() == message
        assert isinstance(both.peer, WebSocketTransport)
        assert both.peer.peer.startswith("127.0.0.1:")
        await both.mine.close(3000, "enough")
        with pytest.raises(ConnectionError, match="enough"):
            await both.peer.receive()


def test_a_name_that_is_none_is_refused_with_those_that_are() -> None:
    name = cast("AdapterName", "asyncio")
    for make in (lambda: check_adapter(name), lambda: WebSocketTransport(adapter=name)):
        with pytest.raises(InvalidSpec, match="native, websockets, trio-websocket") as raised:
            make()
        assert raised.value.field == "adapter"


@pytest.mark.trio
async def test_a_server_refuses_such_a_name_too() -> None:
    async with trio.open_nursery() as nursery:
        with pytest.raises(InvalidSpec, match="websockets"):
            await serve_websocket(echo, nursery=nursery, adapter=cast("AdapterName", "asyncio"))


def test_a_library_that_is_absent_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("aip_trio.transport._websockets")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "websockets.client", None)
    with pytest.raises(AdapterMissing, match=r"pip install 'aip-trio\[websockets\]'") as raised:
        WebSocketTransport(adapter="websockets")
    assert raised.value.adapter == "websockets"
    assert isinstance(raised.value, ImportError)
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    assert raised.value.extra in project["optional-dependencies"]


def test_the_library_is_not_loaded_before_it_is_asked_for() -> None:
    code = "import sys, aip_trio.transport; sys.exit('websockets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.trio
@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_a_token_is_in_no_log_and_in_no_refusal(
    adapter: AdapterName, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_system(environment=FakeNetwork()):
        server = await serve_websocket(echo, port=1, adapter=adapter)
        client = WebSocketTransport(adapter=adapter)
        await client.connect(server.url, headers=[("Authorization", "Bearer swördfish")])
        await client.send(b"hello")
        assert await client.receive() == b"hello"
        await client.close()
        stream = await current_environment().open_tcp_stream("127.0.0.1", 1)
        await stream.send_all(b"GET /ws HTTP/1.1\r\nAuthorization: Bearer sw\x01rdfish\r\n\r\n")
        answer = b""
        while data := await stream.receive_some(65536):
            answer += data
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"rdfish" not in answer
        await server.close()
    assert "rdfish" not in caplog.text
