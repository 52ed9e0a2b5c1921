"""A peer that talks without end, and never listens."""

import pytest
import trio

from aip_trio.errors import PeerSilent, TransportError
from aip_trio.transport import WebSocketTransport, serve_websocket

REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
EMPTY_TEXT = b"\x81\x80\x00\x00\x00\x00"  # masked, as a client's frames are


@pytest.mark.trio
@pytest.mark.usefixtures("each_codec")
async def test_it_is_cut_off_as_a_silent_one_is() -> None:
    ended: list[TransportError] = []
    over = trio.Event()

    async def converse(transport: WebSocketTransport) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hear, transport)
            try:
                while True:
                    await transport.send(b"x" * 1_000_000)
            except TransportError as error:
                ended.append(error)
            nursery.cancel_scope.cancel()
        over.set()

    async def hear(transport: WebSocketTransport) -> None:
        try:
            while True:
                await transport.receive()
        except TransportError as error:
            ended.append(error)

    async def talk(stream: trio.SocketStream) -> None:
        try:
            while True:
                await stream.send_all(EMPTY_TEXT)
                await trio.sleep(0.01)
        except trio.BrokenResourceError:
            pass

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            server = await serve_websocket(converse, nursery=nursery, ping_interval=0.1, ping_timeout=0.5)
            stream = await trio.open_tcp_stream("127.0.0.1", server.port)
            await stream.send_all(REQUEST)
            nursery.start_soon(talk, stream)
            await over.wait()
            nursery.cancel_scope.cancel()
        await trio.aclose_forcefully(stream)
    assert any(isinstance(error, PeerSilent) for error in ended)
