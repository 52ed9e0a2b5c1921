"""The door for WebSockets that a web framework holds."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING

import trio

from aip_trio.errors import ConnectionLost, HandshakeRefused, UnknownWebSocket
from aip_trio.errors._base import told
from aip_trio.transport._asgi_socket import AsgiSocket, is_asgi_websocket, peer_of_scope
from aip_trio.transport._asgi_websocket import AsgiWebSocket
from aip_trio.transport._codes import ABNORMAL, POLICY
from aip_trio.transport._conversation import converse
from aip_trio.transport._handshake import Admit, Doorkeeper, Handshake, Refusal
from aip_trio.transport._life import Life
from aip_trio.transport._settings import Settings
from aip_trio.transport._state import TransportEvent
from aip_trio.transport._websocket import WebSocketTransport

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

__all__ = ["serve_asgi_websocket"]

logger = logging.getLogger("aip_trio.transport")


async def serve_asgi_websocket(
    handler: Callable[[WebSocketTransport], Awaitable[object]],
    websocket: object,
    *,
    admit: Admit | None = None,
    refused: Callable[[Refusal], object] | None = None,
    subprotocols: Sequence[str] = (),
    allowed_origins: Collection[str] = (),
    allowed_hosts: Collection[str] | None = None,
    ping_interval: float | None = 30.0,
    ping_timeout: float | None = 180.0,
    close_timeout: float = 5.0,
    max_size: int = 104857600,
    queued_bytes: int | None = None,
) -> None:
    """Run ``handler(transport)`` for a Starlette or FastAPI WebSocket, in its route. A checkpoint.

    The rules are those of `serve_websocket`, and so are its arguments. One that is not accepted yet is
    accepted here, with the first of ``subprotocols`` that the client offers, or refused with an HTTP status;
    one that the program has accepted is refused with close code 1008, and has no subprotocol. ``refused`` is
    told why.

    The connection lives as long as its handler, and is closed after it: with 1000, or 1011 where it raised an
    exception, which is logged. Cancelled, as at a framework's shutdown, it is closed with 1001, and the
    handler is cancelled.

    Raises HandshakeRefused where the client was told why, ConnectionLost where it went before; InvalidSpec,
    UnknownWebSocket.
    """
    if not is_asgi_websocket(websocket):
        raise UnknownWebSocket(websocket)
    settings = Settings(ping_interval, ping_timeout, close_timeout, max_size, queued_bytes)
    doorkeeper = Doorkeeper.of(
        _local_host(websocket), None, allowed_hosts, allowed_origins, subprotocols, admit
    )
    subprotocol = await _open(websocket, doorkeeper, refused)
    life = Life()
    life.begin()
    life.fire(TransportEvent.SUCCEED)
    adapter = AsgiWebSocket(AsgiSocket(websocket, subprotocol), settings, life)
    transport = WebSocketTransport(adapter)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(adapter.run)
        nursery.start_soon(adapter.see_off)
        farewell = await converse(handler, transport, transport.peer)
        with trio.CancelScope(shield=True):  # close_timeout bounds it, and once that is cancelled, see_off
            await transport.close(farewell.code, farewell.reason)
        nursery.cancel_scope.cancel()


async def _open(
    websocket: WebSocket, doorkeeper: Doorkeeper, refused: Callable[[Refusal], object] | None
) -> str | None:
    """Let a client in, or refuse it; the subprotocol."""
    handshake = _handshake(websocket)
    refusal = _refusal(doorkeeper, handshake)
    accepted = websocket.application_state.name != "CONNECTING"
    try:
        if refusal is not None:
            if refused is not None:
                refused(refusal)
            await _refuse(websocket, refusal, accepted=accepted)
            raise HandshakeRefused(handshake.path, refusal.status, refusal.body)
        if accepted:
            await trio.lowlevel.checkpoint()
            return None
        subprotocol = doorkeeper.subprotocol(handshake)
        await websocket.accept(subprotocol)
        return subprotocol
    except HandshakeRefused:
        raise
    except Exception as error:
        raise ConnectionLost(ABNORMAL, f"the ASGI server says: {told(error)}") from error


def _refusal(doorkeeper: Doorkeeper, handshake: Handshake) -> Refusal | None:
    try:
        return doorkeeper.refusal(handshake)
    except Exception:  # admit's: who cannot be judged is not let in
        logger.exception("admit crashed for %s", handshake.peer, extra={"peer": handshake.peer})
        return Refusal(500, "the server failed")


async def _refuse(websocket: WebSocket, refusal: Refusal, *, accepted: bool) -> None:
    """Say no, as far as the server has words for it: without its extension an HTTP 403 without a body."""
    if accepted:
        await AsgiSocket(websocket).close(POLICY, refusal.body)
    elif "websocket.http.response" in (websocket.scope.get("extensions") or {}):
        body = refusal.body.encode(errors="replace")
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        start = {"type": "websocket.http.response.start", "status": refusal.status, "headers": headers}
        await websocket.send(start)
        await websocket.send({"type": "websocket.http.response.body", "body": body})
    else:
        await websocket.close()


def _handshake(websocket: WebSocket) -> Handshake:
    scope = websocket.scope
    return Handshake(
        scope["path"],
        scope["query_string"].decode("latin-1"),
        tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
        tuple(scope.get("subprotocols") or ()),
        peer_of_scope(websocket),
    )


def _local_host(websocket: WebSocket) -> str:
    """The address that the client came to: on the loopback its names alone are served."""
    host = (websocket.scope.get("server") or ("", None))[0]
    try:
        return "127.0.0.1" if ipaddress.ip_address(host).is_loopback else host
    except ValueError:
        return str(host)
