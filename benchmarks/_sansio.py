"""The limit of the fast adapter: the sans-I/O protocol of `websockets` on a Trio stream, and nothing else."""

from __future__ import annotations

from collections import deque

import trio
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

__all__ = ["SansIO", "accept", "connect"]

_CHUNK = 16384


class SansIO:
    """An open WebSocket: texts as bytes, one task at a time."""

    def __init__(self, stream: trio.SocketStream, protocol: ClientProtocol | ServerProtocol) -> None:
        self._stream = stream
        self._protocol = protocol
        self._come: deque[bytes] = deque()

    async def send(self, text: bytes) -> None:
        """Send a text frame."""
        self._protocol.send_text(text)
        await self.flush()

    async def receive(self) -> bytes:
        """The next message; EndOfChannel after the last."""
        while not self._come:
            if self._protocol.state is not State.OPEN:
                raise trio.EndOfChannel
            await self.more()
            self.take()
        return self._come.popleft()

    def take(self) -> None:
        """Keep the messages that have come, and nothing else."""
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._come.append(bytes(event.data))

    async def flush(self) -> None:
        """Send what the protocol has to say."""
        for data in self._protocol.data_to_send():
            await self._stream.send_all(data)

    async def more(self) -> None:
        """Give the protocol what comes next."""
        data = await self._stream.receive_some(_CHUNK)
        if not data:
            raise trio.EndOfChannel
        self._protocol.receive_data(data)


async def accept(stream: trio.SocketStream) -> SansIO:
    """The server's side of the handshake."""
    protocol = ServerProtocol()
    websocket = SansIO(stream, protocol)
    while not (events := protocol.events_received()):
        await websocket.more()
    (request,) = events
    assert isinstance(request, Request)
    protocol.send_response(protocol.accept(request))
    await websocket.flush()
    return websocket


async def connect(url: str) -> SansIO:
    """The client's side of it."""
    uri = parse_uri(url)
    stream = await trio.open_tcp_stream(uri.host, uri.port)
    protocol = ClientProtocol(uri)
    websocket = SansIO(stream, protocol)
    protocol.send_request(protocol.connect())
    await websocket.flush()
    while protocol.state is State.CONNECTING:
        await websocket.more()
    websocket.take()  # a message may have come along with the answer
    return websocket
