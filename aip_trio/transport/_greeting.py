"""The server's side of the handshake."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, RejectConnection, RejectData, Request
from wsproto.utilities import RemoteProtocolError

from aip_trio.errors import HandshakeRefused
from aip_trio.transport._handshake import Handshake, Refusal
from aip_trio.transport._head import HeadTooLong, read_head
from aip_trio.transport._opened import Opened, peer_of

__all__ = ["greet", "turn_away"]

_CHUNK = 16384
#: Seconds that a client has for reading why it was refused.
_FAREWELL = 1.0


async def greet(
    stream: trio.abc.Stream,
    refusal_of: Callable[[Handshake], Refusal | None],
    subprotocol_of: Callable[[Handshake], str | None],
) -> Opened:
    """Let a client in, or refuse it. A checkpoint; set a deadline.

    Raises HandshakeRefused where it was told why not, BrokenResourceError where it went.
    """
    websocket = WSConnection(ConnectionType.SERVER)
    request, rest = await _request(stream, websocket)
    handshake = _handshake(request, peer_of(stream))
    refusal = refusal_of(handshake)
    if refusal is not None:
        await _refuse(stream, websocket, refusal, handshake.path)
    subprotocol = subprotocol_of(handshake)
    await stream.send_all(websocket.send(AcceptConnection(subprotocol)))
    return Opened(stream, subprotocol, client=False, received=rest)


async def turn_away(stream: trio.abc.Stream, refusal: Refusal) -> None:
    """Hear what a client asks for, and refuse it whatever that is. As `greet`."""
    websocket = WSConnection(ConnectionType.SERVER)
    request, _ = await _request(stream, websocket)
    await _refuse(stream, websocket, refusal, request.target)


async def _request(stream: trio.abc.Stream, websocket: WSConnection) -> tuple[Request, bytes]:
    """The client's request, and what came behind it."""
    try:
        head, rest = await read_head(stream)
        websocket.receive_data(head)
        (request,) = websocket.events()
        assert isinstance(request, Request)
        return request, rest
    except RemoteProtocolError as error:
        hint = error.event_hint
        status = hint.status_code if isinstance(hint, RejectConnection) else 400
        refusal = Refusal(status, f"this is a WebSocket server: {error}")
    except HeadTooLong as error:
        refusal = Refusal(431, f"this is a WebSocket server: {error}")
    except ValueError as error:  # wsproto checks not everything
        refusal = Refusal(400, f"this is a WebSocket server: {error}")
    return await _refuse(stream, WSConnection(ConnectionType.SERVER), refusal, "?")


def _handshake(request: Request, peer: str) -> Handshake:
    path, _, query = request.target.partition("?")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.extra_headers]
    headers.append(("host", request.host))
    return Handshake(path, query, tuple(headers), tuple(request.subprotocols), peer)


async def _refuse(
    stream: trio.abc.Stream, websocket: WSConnection, refusal: Refusal, target: str
) -> NoReturn:
    """Say no, wait until it was read, and raise HandshakeRefused."""
    body = refusal.body.encode(errors="replace")
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    answer = websocket.send(RejectConnection(refusal.status, headers, has_body=True))
    await stream.send_all(answer + websocket.send(RejectData(body)))
    with trio.move_on_after(_FAREWELL):  # closing on what it still sends would take our answer back
        if isinstance(stream, trio.SocketStream):
            await stream.send_eof()
        while await stream.receive_some(_CHUNK):
            pass
    raise HandshakeRefused(target, refusal.status, refusal.body)
