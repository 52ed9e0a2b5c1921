"""The door of a server: takes connections, and sees everybody off when it closes."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import ssl
from contextlib import suppress

import attrs
import trio

from aip_trio.actors import Actor, StopReason
from aip_trio.endpoints.server._connection import GOING_AWAY
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._messages import WindUp
from aip_trio.endpoints.server._reception import Reception
from aip_trio.errors import ActorStopped, MailboxFull
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import Handshake, Refusal, Transport, WebSocketServer, serve_websocket

__all__ = ["Door", "Listener"]

logger = logging.getLogger("aip_trio.endpoints")


@attrs.define(kw_only=True)
class Door:
    """Where a server listens, and whom it lets in. Without ``port`` it opens no socket."""

    host: str
    port: int | None
    path: str
    token: str | None = attrs.field(repr=False)
    local: bool
    ssl_context: ssl.SSLContext | None
    ping_interval: float
    ping_timeout: float
    #: seconds that running tasks may take to end by themselves when the server stops
    drain: float

    @property
    def url(self) -> str:
        """Where clients connect to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ws' if self.ssl_context is None else 'wss'}://{host}:{self.port}{self.path}"

    def admit(self, handshake: Handshake) -> Refusal | None:
        """Whether a client may come in: by its token (compared in constant time), and from where."""
        if self.local and not _of_this_machine(handshake.peer):
            return Refusal(403, "this server takes clients of its own machine alone")
        if self.token is None:
            return None
        given = handshake.header("Authorization") or ""
        if hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            return None
        wrong = "is not this server's" if given else "is missing"
        return Refusal(401, f"the header 'Authorization: Bearer <token>' {wrong}")


class Listener(Actor):
    """Listens while the server runs. Its stop is the server's goodbye, in this order:

    no more connections, and no more tasks; those that run may end by themselves for ``drain`` seconds;
    those left are ended as failed, ``server_stopping``; the connections are closed with 1001.
    """

    #: beside the time for the draining
    default_shutdown = 60.0

    def __init__(self, hub: Hub, door: Door) -> None:
        self._hub = hub
        self._door = door
        self._server: WebSocketServer | None = None

    async def started(self) -> None:
        """Open the socket. Raises AddressInUse."""
        door = self._door
        if door.port is None:
            return  # noqa: ASYNC910 - internal
        limits = self._hub.directory.limits
        self._server = await serve_websocket(
            self._handle,
            door.host,
            door.port,
            path=door.path,
            ssl_context=door.ssl_context,
            admit=door.admit,
            max_connections=limits.connections,
            max_size=limits.message_size,
            ping_interval=door.ping_interval,
            ping_timeout=door.ping_timeout,
        )
        door.port = self._server.port  # a port that was picked is kept over a restart

    async def _handle(self, transport: Transport) -> None:
        await Reception(self._hub, self.system).receive(AIPProtocol(transport), transport)

    async def stopping(self, reason: StopReason | BaseException) -> None:  # noqa: ASYNC910 - internal
        """The goodbye; after a crash the connections are lost, and clients come back by themselves.

        So they are where the whole system is cancelled.
        """
        if self._server is not None:
            await self._server.drain()
        if reason is StopReason.SHUTDOWN and not self.system.hurrying:
            await self._see_off()
        if self._server is not None:
            await self._server.close(GOING_AWAY, "server stopping")

    async def _see_off(self) -> None:  # noqa: ASYNC910 - internal
        self._hub.directory.closing = True
        try:
            running = [child.ref for child in self._hub.tasks.which_children()]
        except ActorStopped:
            return  # noqa: ASYNC910 - internal
        with trio.move_on_after(self._door.drain):
            for task in running:
                await task.stopped()
        for task in running:
            with suppress(ActorStopped, MailboxFull):  # it ends already, or will be stopped right after
                task.tell_nowait(WindUp("server_stopping"))
        with trio.move_on_after(5):
            for task in running:
                await task.stopped()


def _of_this_machine(peer: str) -> bool:
    """Whether a peer, ``host:port``, is on the loopback."""
    host = peer.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
