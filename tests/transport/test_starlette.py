"""Starlette's WebSockets on real sockets: behind our server, hypercorn's own, and without our tasks."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest
import trio
from starlette.websockets import WebSocket

from aip_trio.errors import (
    ConnectionLost,
    InvalidSpec,
    MessageTooLarge,
    PeerSilent,
    TransportClosed,
    UnknownWebSocket,
)
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import TransportState, WebSocketAdapter, WebSocketTransport, create_adapter
from tests.transport.asgi import Serving, asgi_ends, bare, served
from tests.transport.conformance import AnyTransport, Ends, TransportConformance
from tests.transport.fake_asgi import FakeAsgi


class TestHosted(TransportConformance):
    """In `serve_asgi_websocket`, behind our server."""

    connects = False
    cushion = 0.03
    hears_goodbyes = False

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return asgi_ends()


class TestHostedByHypercorn(TestHosted):
    """Behind a server that has nothing but ASGI: a ping is answered by the next message."""

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return asgi_ends(bare)

    async def test_a_cancelled_close_ends_at_once(self) -> None:
        pytest.skip("nothing in ASGI ends a connection but the end of the route")

    async def test_a_ping_is_answered_beside_other_messages(self) -> None:
        async with self.ends() as ends, trio.open_nursery() as nursery:
            with pytest.raises(PeerSilent):
                await ends.mine.ping(timeout=0.05)
            nursery.start_soon(ends.mine.ping)
            await self.settle()
            await ends.peer.send(b"a sign of life")
        with trio.fail_after(1):
            async with self.ends() as ends, trio.open_nursery() as nursery:

                async def ping() -> None:
                    with pytest.raises(ConnectionLost):
                        await ends.mine.ping(timeout=60)

                nursery.start_soon(ping)
                await self.settle()
                ends.cut()


class TestPlain(TestHosted):
    """`WebSocketTransport(websocket)` alone: what ASGI and our server give, without tasks of ours."""

    notices_the_end = False
    sends_can_be_cancelled = False
    pings_pass_messages = False

    def ends(self) -> AbstractAsyncContextManager[Ends]:
        return asgi_ends(hosted=False)

    async def test_a_send_that_waits_is_told_of_the_break(self) -> None:
        pytest.skip("the end is noticed by who receives")


@pytest.mark.trio
async def test_seed_001_as_it_stands() -> None:
    """Seed 001, "Server-Side (FastAPI)"."""
    got: list[bytes] = []

    async def websocket_endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        transport = WebSocketTransport(websocket=websocket)
        assert transport.websocket is websocket
        got.append(await transport.receive())
        await transport.send(b"Response")

    async with served(websocket_endpoint) as url, WebSocketTransport() as client:
        await client.connect(url)
        await client.send(b"Hello Server")
        assert await client.receive() == b"Response"
        assert got == [b"Hello Server"]


@pytest.mark.trio
async def test_an_adapter_gives_and_takes_either_kind_of_frame() -> None:
    fake = FakeAsgi()
    with pytest.raises(InvalidSpec, match="accept"):
        create_adapter(fake.websocket)
    await fake.websocket.accept("aip.v1")
    adapter = create_adapter(fake.websocket)
    assert isinstance(adapter, WebSocketAdapter)
    assert adapter.peer == "192.0.2.1:5"
    assert adapter.subprotocol is None  # Starlette does not say
    await adapter.send("text")
    await adapter.send_text(b"bytes of a text")
    await adapter.send_bytes(b"binary")
    assert fake.texts == ["text", "bytes of a text", b"binary"]
    for fields in ({"text": "one"}, {"bytes": b"two"}, {"text": None, "bytes": b"three"}, {"bytes": None}):
        fake.say(**fields)
    assert await adapter.receive_auto() == "one"
    assert await adapter.receive_auto() == b"two"
    assert await adapter.receive() == "three"
    assert await adapter.receive_bytes() == b""
    assert adapter.is_open()
    await adapter.close(1001, "ü" * 100)
    assert fake.sent[-1]["reason"] == "ü" * 61
    assert not adapter.is_open()
    assert (adapter.close_code, adapter.close_reason) == (1001, "ü" * 100)
    await adapter.wait_closed()
    await adapter.close()
    for call in (adapter.send("x"), adapter.send_bytes(b"x"), adapter.receive_auto(), adapter.ping()):
        with pytest.raises(TransportClosed):
            await call
    assert fake.kinds[-1] == "close"


@pytest.mark.trio
async def test_what_starlette_raises_is_an_error_of_ours() -> None:
    fake = FakeAsgi()
    await fake.websocket.accept()
    transport = WebSocketTransport(fake.websocket)
    await fake.websocket.close()  # behind our back
    with pytest.raises(ConnectionLost, match="close message"):
        await transport.send(b"x")
    assert transport.state is TransportState.ERROR
    fake = FakeAsgi()
    await fake.websocket.accept()
    transport = WebSocketTransport(fake.websocket)
    fake.hang_up(1001, "bye")
    await fake.websocket.receive()  # behind our back
    with pytest.raises(ConnectionLost, match="disconnect"):
        await transport.receive()
    with pytest.raises(ConnectionLost):
        await transport.receive()


@pytest.mark.trio
async def test_a_message_that_is_too_large_is_refused_in_bytes() -> None:
    async with asgi_ends(hosted=False, max_size=100) as ends:
        await ends.peer.send(("é" * 50).encode())
        assert len(await ends.mine.receive()) == 100
        await ends.peer.send(("é" * 51).encode())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive_code, ends.peer, 1009)
            with pytest.raises(MessageTooLarge):
                await ends.mine.receive()
        assert ends.mine.state is TransportState.ERROR


async def receive_code(transport: AnyTransport, code: int) -> None:
    with pytest.raises(ConnectionLost) as lost:
        await transport.receive()
    assert lost.value.code == code


@pytest.mark.trio
@pytest.mark.parametrize("serving", [served, bare], ids=["ours", "hypercorn"])
async def test_hypercorns_own_limit_shows_as_1009_at_the_peer(serving: Serving) -> None:
    async with asgi_ends(serving) as ends:
        await ends.peer.send(b"x" * (16 * 1024 * 1024 + 1))
        await receive_code(ends.peer, 1009)
        with pytest.raises(ConnectionLost):
            await ends.mine.receive()


class Other:
    """Of the same name, and not Starlette's."""


Other.__qualname__ = "WebSocket"


@pytest.mark.trio
async def test_only_starlettes_own_class_and_its_subclasses_count() -> None:
    class Mine(WebSocket):
        pass

    fake = FakeAsgi()
    mine = Mine(fake.websocket.scope, fake.websocket._receive, fake.websocket._send)
    await mine.accept()
    assert WebSocketTransport(mine).is_connected
    with pytest.raises(UnknownWebSocket, match="FastAPI"):
        WebSocketTransport(Other())


def test_a_plain_one_cancelled_anywhere() -> None:
    """A send that is cancelled once it has begun ends the connection; a receive loses nothing."""

    async def send(point: CancelPoint) -> None:
        fake = FakeAsgi()
        await fake.websocket.accept()
        transport = WebSocketTransport(fake.websocket)
        with point:
            await transport.send(b"this")
        if transport.is_connected:
            await transport.send(b"after")
            assert fake.texts in (["this", "after"], ["after"])
        else:
            assert transport.state is TransportState.ERROR

    async def receive(point: CancelPoint) -> None:
        fake = FakeAsgi()
        await fake.websocket.accept()
        transport = WebSocketTransport(fake.websocket)
        fake.say(text="one")
        got: list[bytes] = []
        with point:
            got.append(await transport.receive())
        fake.say(text="two")
        while len(got) < 2:
            got.append(await transport.receive())
        assert got == [b"one", b"two"]

    async def close(point: CancelPoint) -> None:
        fake = FakeAsgi()
        await fake.websocket.accept()
        transport = WebSocketTransport(fake.websocket)
        with point:
            await transport.close()
        assert transport.state is TransportState.DISCONNECTED
        await transport.wait_closed()

    for scenario in (send, receive, close):
        assert cancel_at_every_checkpoint(scenario) > 0
