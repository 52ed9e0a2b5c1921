"""Connections that a web framework, or the program itself, hands to the server."""

from __future__ import annotations

import logging

import trio

from aip_trio.actors import ActorSystem
from aip_trio.endpoints.server._connection import GOING_AWAY
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._listener import Door
from aip_trio.endpoints.server._reception import Reception
from aip_trio.errors import HandshakeRefused, TransportError
from aip_trio.protocol import SUBPROTOCOLS
from aip_trio.transport import (
    Addresses,
    ConnectingTransport,
    Handshake,
    Refusal,
    Transport,
    WebSocketTransport,
    is_asgi_websocket,
    serve_asgi_websocket,
)

__all__ = ["Visits"]

logger = logging.getLogger("aip_trio.endpoints")

#: Seconds for the goodbye to a client that does not answer it.
_GOODBYE = 3.0


class Visits:
    """Serves each in the task that brings it, by the rules of the server's own door."""

    def __init__(self, hub: Hub, door: Door) -> None:
        self._hub = hub
        self._door = door
        limits = hub.directory.limits
        self._addresses = Addresses(limits.connections_per_address, limits.uncounted_addresses)
        self._scopes: set[trio.CancelScope] = set()
        #: the server has ended: who comes to a route that is still there is told so
        self._over = False

    def __len__(self) -> int:
        """How many there are."""
        return len(self._scopes)

    def end(self) -> None:
        """The server has ended, and so do they."""
        self._over = True
        for scope in self._scopes:
            scope.cancel()

    async def receive(self, websocket: object, system: ActorSystem) -> None:
        """Serve one until it, or the server, ends. A checkpoint. Raises UnknownWebSocket."""
        reception = Reception(self._hub, system)
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                if is_asgi_websocket(websocket):
                    await self._receive_asgi(websocket, reception)
                else:
                    await _receive_transport(websocket, reception)
            finally:
                self._scopes.discard(scope)

    async def _receive_asgi(self, websocket: object, reception: Reception) -> None:  # noqa: ASYNC910 - internal
        door, limits = self._door, self._hub.directory.limits
        name: str | None = ""

        def admit(handshake: Handshake) -> Refusal | None:
            nonlocal name
            name = self._addresses.enter(handshake.peer.rpartition(":")[0].strip("[]"))
            return self._crowded(name) or door.admit(handshake)

        async def handle(transport: WebSocketTransport) -> None:
            await reception.receive(transport, websocket)

        try:
            await serve_asgi_websocket(
                handle,
                websocket,
                admit=admit,
                refused=self._count,
                subprotocols=SUBPROTOCOLS,
                allowed_origins=door.allowed_origins,
                allowed_hosts=door.allowed_hosts,
                ping_interval=door.ping_interval,
                ping_timeout=door.ping_timeout,
                close_timeout=_GOODBYE,
                max_size=limits.message_size,
                queued_bytes=limits.queued_bytes,
            )
        except HandshakeRefused as refused:
            logger.info("a connection was refused: %s", refused)
        except TransportError as lost:
            logger.info("a connection was lost before it was open: %s", lost)
        finally:
            self._addresses.leave(name or "")

    def _count(self, refusal: Refusal) -> None:
        self._hub.directory.tally.refused[refusal.rule] += 1

    def _crowded(self, name: str | None) -> Refusal | None:
        limits = self._hub.directory.limits
        if self._over or self._hub.directory.closing:
            return Refusal(503, "the server is going away", "closing")
        if len(self) > limits.connections:
            return Refusal(503, f"all {limits.connections} connections are taken", "connections")
        if name is None:
            reason = f"all {self._addresses.limit} connections of this address are taken"
            return Refusal(429, reason, "connections_per_address")
        return None


async def _receive_transport(websocket: object, reception: Reception) -> None:
    transport = websocket if isinstance(websocket, Transport) else WebSocketTransport(websocket)
    try:
        await reception.receive(transport, websocket)
    finally:
        with trio.move_on_after(_GOODBYE, shield=True):
            if isinstance(transport, ConnectingTransport):
                await transport.close(GOING_AWAY, "server stopping")
            else:
                await transport.close()
