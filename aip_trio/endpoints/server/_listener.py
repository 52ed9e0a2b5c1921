"""The door of a server: takes connections, and sees everybody off when it closes."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import ssl
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs
import trio

from aip_trio.actors import Actor, StopReason
from aip_trio.endpoints.server._connection import GOING_AWAY
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._messages import WindUp
from aip_trio.endpoints.server._reception import Reception
from aip_trio.errors import ActorStopped, MailboxFull
from aip_trio.protocol import SUBPROTOCOLS, LinkTransport
from aip_trio.transport import AdapterName, Handshake, Refusal, Transport, WebSocketServer, serve_websocket

if TYPE_CHECKING:
    from aip_trio.transport.zeromq import CurveServer, ZeroMQServer

__all__ = ["Door", "Listener"]

logger = logging.getLogger("aip_trio.endpoints")

#: Seconds that a client has to take our goodbye, and the tasks to tell theirs: some may not read at all.
_GOODBYE = 3.0

#: How ZeroMQ names peers of the same machine, and of the same process.
_ALWAYS_HERE = ("ipc", "inproc")


@attrs.define(kw_only=True)
class Door:
    """Where a server listens, and whom it lets in. Without ``port`` and ``address`` it opens no socket."""

    host: str
    port: int | None
    path: str
    token: str | None = attrs.field(repr=False)
    local: bool
    ssl_context: ssl.SSLContext | None
    #: pages in browsers, and names of this server, that may come in (see `serve_websocket`)
    allowed_origins: Collection[str] = ()
    allowed_hosts: Collection[str] | None = None
    adapter: AdapterName = "native"
    ping_interval: float
    ping_timeout: float
    #: seconds that running tasks may take to end by themselves when the server stops
    drain: float
    #: where it listens by ZeroMQ, and the keys for that
    address: str | None = None
    curve: CurveServer | None = attrs.field(default=None, repr=False)
    #: what listens now
    server: WebSocketServer | None = attrs.field(default=None, init=False)
    zeromq: ZeroMQServer | None = attrs.field(default=None, init=False)

    @property
    def urls(self) -> list[str]:
        """Where clients connect to."""
        urls: list[str] = []
        if self.port is not None:
            host = f"[{self.host}]" if ":" in self.host else self.host
            urls.append(f"{'ws' if self.ssl_context is None else 'wss'}://{host}:{self.port}{self.path}")
        if self.address is not None:
            urls.append(self.address)
        return urls

    @property
    def servers(self) -> list[WebSocketServer | ZeroMQServer]:
        """What listens now."""
        return [each for each in (self.server, self.zeromq) if each is not None]

    def admit(self, handshake: Handshake) -> Refusal | None:
        """Whether a client may come in: from where, and by its token."""
        if self.local and not _of_this_machine(handshake.peer):
            return Refusal(403, "this server takes clients of its own machine alone", "local")
        if self.token is None:
            return None
        given = handshake.header("Authorization") or ""
        if _same(given, f"Bearer {self.token}"):
            return None
        wrong = "is not this server's" if given else "is missing"
        return Refusal(401, f"the header 'Authorization: Bearer <token>' {wrong}", "token")


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
        self._servers: list[WebSocketServer | ZeroMQServer] = []

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """Open the sockets. Raises AddressInUse."""
        door = self._door
        if door.port is not None:
            door.server = await self._serve_websocket(door.port)
            self._servers.append(door.server)
            door.port = door.server.port  # a port that was picked is kept over a restart
        if door.address is not None:
            door.zeromq = await self._serve_zeromq(door.address)
            self._servers.append(door.zeromq)
            door.address = door.zeromq.url

    async def _serve_websocket(self, port: int) -> WebSocketServer:
        door, limits = self._door, self._hub.directory.limits
        return await serve_websocket(
            self._handle,
            door.host,
            port,
            path=door.path,
            ssl_context=door.ssl_context,
            admit=door.admit,
            allowed_origins=door.allowed_origins,
            allowed_hosts=door.allowed_hosts,
            subprotocols=SUBPROTOCOLS,
            adapter=door.adapter,
            max_connections=limits.connections,
            max_per_address=limits.connections_per_address,
            uncounted_addresses=limits.uncounted_addresses,
            max_size=limits.message_size,
            queued_bytes=limits.queued_bytes,
            close_timeout=_GOODBYE,
            ping_interval=door.ping_interval,
            ping_timeout=door.ping_timeout,
        )

    async def _serve_zeromq(self, address: str) -> ZeroMQServer:
        from aip_trio.transport.zeromq import serve_zeromq

        door, limits = self._door, self._hub.directory.limits
        return await serve_zeromq(
            self._handle,
            address,
            admit=door.admit,
            subprotocols=SUBPROTOCOLS,
            max_connections=limits.connections,
            max_per_address=limits.connections_per_address,
            uncounted_addresses=limits.uncounted_addresses,
            max_size=limits.message_size,
            queued_bytes=limits.queued_bytes,
            close_timeout=_GOODBYE,
            ping_interval=door.ping_interval,
            ping_timeout=door.ping_timeout,
            curve=door.curve,
        )

    async def _handle(self, transport: Transport) -> None:
        await Reception(self._hub, self.system).receive(transport, transport)

    async def stopping(self, reason: StopReason | BaseException) -> None:  # noqa: ASYNC910 - internal
        """The goodbye; after a crash the connections are lost, and clients come back by themselves.

        So they are where the whole system is cancelled.
        """
        for server in self._servers:
            await server.drain()
        if reason is StopReason.SHUTDOWN and not self.system.hurrying:
            await self._see_off()
        async with trio.open_nursery() as nursery:
            for server in self._servers:
                nursery.start_soon(server.close, GOING_AWAY, "server stopping")

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
        with trio.move_on_after(_GOODBYE):
            for task in running:
                await task.stopped()
        async with trio.open_nursery() as nursery:  # who has no socket just now finds the session gone
            for client in self._hub.directory.clients.values():
                transport = client.line.protocol.transport
                if isinstance(transport, LinkTransport):
                    nursery.start_soon(transport.close, GOING_AWAY, "server stopping")


def _same(given: str, expected: str) -> bool:
    """Whether they are, in a time that tells nothing of either, not even the length that is expected."""
    given_digest = hashlib.sha256(given.encode()).digest()
    return hmac.compare_digest(given_digest, hashlib.sha256(expected.encode()).digest())


def _of_this_machine(peer: str) -> bool:
    """Whether a peer, ``host:port``, is on the loopback; or has no address, because it needs none."""
    if peer in _ALWAYS_HERE:
        return True
    host = peer.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
