"""A server of WebSockets."""

from __future__ import annotations

import logging
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import attrs
import trio

from aip_trio.actors import current_nursery
from aip_trio.errors import HandshakeRefused, InvalidSpec, NoSystem
from aip_trio.transport._adapters import AdapterName, Library, library_for, take_over
from aip_trio.transport._addresses import LOOPBACK, Addresses
from aip_trio.transport._codes import check_code
from aip_trio.transport._conversation import converse
from aip_trio.transport._greeting import greet, turn_away
from aip_trio.transport._handshake import Admit, Doorkeeper, Handshake, Refusal
from aip_trio.transport._life import Life
from aip_trio.transport._listening import listen, port_of
from aip_trio.transport._opened import Opening, address_of, peer_of
from aip_trio.transport._settings import COMPRESSION_THRESHOLD, Compression, Settings
from aip_trio.transport._state import TransportEvent
from aip_trio.transport._url import authority
from aip_trio.transport._websocket import WebSocketTransport

__all__ = ["WebSocketServer", "WebSocketServerStatistics", "serve_websocket"]

logger = logging.getLogger("aip_trio.transport")

#: Clients beyond max_connections that are told so at the same time; more are cut off.
_TURNED_AWAY = 64
#: Seconds for that.
_FAREWELL = 2.0


@attrs.frozen
class WebSocketServerStatistics:
    """Counters of a server."""

    #: that live now, those in their handshake included
    connections: int
    #: TCP connections since the start
    accepted: int
    #: refused with an HTTP status, or cut off beyond max_connections
    refused: int
    #: those by the rule that they met: ``request`` (it was none), ``path``, ``origin``, ``host``,
    #: ``connections``, ``connections_per_address``, ``closing``, and what ``admit`` says
    refusals: Mapping[str, int]
    #: that left, were too slow, or spoke something else before their handshake was done
    failed: int
    #: whose handler raised an exception
    crashed: int


class WebSocketServer:
    """Made by `serve_websocket`."""

    def __init__(
        self,
        handler: Callable[[WebSocketTransport], Awaitable[object]],
        doorkeeper: Doorkeeper,
        settings: Settings,
        library: Library,
        *,
        max_connections: int,
        addresses: Addresses,
        handshake_timeout: float,
    ) -> None:
        self._handler = handler
        self._doorkeeper = doorkeeper
        self._settings = settings
        self._library = library
        self._max_connections = max_connections
        self._addresses = addresses
        self._handshake_timeout = handshake_timeout
        self._transports: set[WebSocketTransport] = set()
        self._connections = self._turned_away = 0
        self._accepted = self._failed = self._crashed = 0
        self._refusals: Counter[str] = Counter()
        self._closing: tuple[int, str] | None = None
        self._accepting = trio.CancelScope()
        self._serving = trio.CancelScope()
        self._drained = trio.Event()
        self._ended = trio.Event()
        self.host = self.url = ""
        self.port = 0

    def statistics(self) -> WebSocketServerStatistics:
        """What has happened so far."""
        return WebSocketServerStatistics(
            self._connections,
            self._accepted,
            self._refusals.total(),
            dict(self._refusals),
            self._failed,
            self._crashed,
        )

    async def drain(self) -> None:
        """Accept no more connections; those that there are live on. A checkpoint."""
        self._accepting.cancel()
        await self._drained.wait()

    async def close(self, code: int = 1001, reason: str = "the server goes away") -> None:
        """Drain, close every connection, and wait for their handlers. A checkpoint.

        The handlers have ``close_timeout`` seconds after their connection is closed, and are then cancelled.
        Cancelled: everything ends at once.
        """
        check_code(code)
        self._closing = (code, reason)
        try:
            await self.drain()
            with trio.move_on_after(2 * self._settings.close_timeout):
                async with trio.open_nursery() as nursery:
                    for transport in self._transports:
                        nursery.start_soon(transport.close, code, reason)
                    await self._ended.wait()
        finally:
            self._serving.cancel()
            with trio.CancelScope(shield=True):  # all that it waits for is cancelled
                await self._ended.wait()

    # Its task

    async def run(
        self,
        listeners: Sequence[trio.abc.Listener[trio.abc.Stream]],
        *,
        task_status: trio.TaskStatus[object] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until it is drained and the last connection has gone. A checkpoint."""
        try:
            with self._serving:
                async with trio.open_nursery() as handlers:
                    with self._accepting:
                        await trio.serve_listeners(
                            self._serve, list(listeners), handler_nursery=handlers, task_status=task_status
                        )
                    self._drained.set()
        finally:
            self._drained.set()
            self._ended.set()

    async def _serve(self, stream: trio.abc.Stream) -> None:
        """One connection, from its first byte on. What goes wrong with it is no other's trouble."""
        self._accepted += 1
        try:
            if self._connections >= self._max_connections:
                await self._turn_away(
                    stream, Refusal(503, f"all {self._max_connections} connections are taken", "connections")
                )
                return
            host, _ = address_of(stream) or ("", 0)
            name = self._addresses.enter(host)
            if name is None:
                reason = f"all {self._addresses.limit} connections of this address are taken"
                await self._turn_away(stream, Refusal(429, reason, "connections_per_address"))
                return
            try:
                await self._welcome(stream)
            finally:
                self._addresses.leave(name)
        except* Exception as group:
            logger.error("a connection crashed", exc_info=group)
        finally:
            with trio.CancelScope(shield=True):  # closing forcefully waits for nobody
                await trio.aclose_forcefully(stream)

    async def _welcome(self, stream: trio.abc.Stream) -> None:
        self._connections += 1
        try:
            async with trio.open_nursery() as nursery:
                opening = await self._greet(stream, nursery)
                if opening is not None:
                    await self._talk(opening, nursery)
        finally:
            self._connections -= 1

    async def _turn_away(self, stream: trio.abc.Stream, refusal: Refusal) -> None:  # noqa: ASYNC910 - not called from outside
        self._refusals[refusal.rule] += 1
        if self._turned_away >= _TURNED_AWAY:
            return  # noqa: ASYNC910 - not called from outside
        self._turned_away += 1
        try:
            with trio.move_on_after(_FAREWELL):
                await turn_away(stream, self._library.hear(self._settings), refusal)
        except (HandshakeRefused, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self._turned_away -= 1

    async def _greet(self, stream: trio.abc.Stream, nursery: trio.Nursery) -> Opening | None:
        """The handshake, if it succeeds in time."""
        heard = False
        peer = peer_of(stream)  # while it is there

        def refusal_of(handshake: Handshake) -> Refusal | None:
            nonlocal heard
            heard = True
            refusal = self._refusal(handshake)
            if refusal is not None:
                self._refusals[refusal.rule] += 1
            return refusal

        try:
            with trio.move_on_after(self._handshake_timeout):
                hearing = self._library.hear(self._settings)
                return await greet(stream, hearing, refusal_of, self._doorkeeper.subprotocol, nursery)
            logger.info("%s did not finish its handshake in time", peer)
        except HandshakeRefused as refused:
            if not heard:
                self._refusals["request"] += 1
            logger.info("%s was refused: %s", peer, refused)
            return None  # noqa: ASYNC910 - not called from outside
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            logger.info("%s did not finish its handshake: %s", peer, error.__cause__ or error)
        self._failed += 1
        return None  # noqa: ASYNC910 - not called from outside

    def _refusal(self, handshake: Handshake) -> Refusal | None:
        if self._accepting.cancel_called:
            return Refusal(503, "the server is going away", "closing")
        try:
            return self._doorkeeper.refusal(handshake)
        except Exception:  # admit's: who cannot be judged is not let in
            logger.exception("admit crashed for %s", handshake.peer, extra={"peer": handshake.peer})
            return Refusal(500, "the server failed", "admit")

    async def _talk(self, opening: Opening, nursery: trio.Nursery) -> None:
        """The life of one connection: as long as its handler."""
        life = Life()
        life.begin()
        life.fire(TransportEvent.SUCCEED)
        transport = WebSocketTransport(take_over(opening, self._settings, life, nursery))
        self._transports.add(transport)
        try:
            if self._closing is None:
                farewell = await converse(self._handler, transport, transport.peer)
                self._crashed += farewell.crashed
                await transport.close(farewell.code, farewell.reason)
            else:  # since the handshake
                await transport.close(*self._closing)
        finally:
            self._transports.remove(transport)


async def serve_websocket(
    handler: Callable[[WebSocketTransport], Awaitable[object]],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    nursery: trio.Nursery | None = None,
    path: str | None = "/ws",
    ssl_context: ssl.SSLContext | None = None,
    admit: Admit | None = None,
    subprotocols: Sequence[str] = (),
    allowed_origins: Collection[str] = (),
    allowed_hosts: Collection[str] | None = None,
    max_connections: int = 10_000,
    max_per_address: int | None = None,
    uncounted_addresses: Sequence[str] = LOOPBACK,
    handshake_timeout: float = 10.0,
    ping_interval: float | None = 30.0,
    ping_timeout: float | None = 180.0,
    close_timeout: float = 10.0,
    max_size: int = 104857600,
    adapter: AdapterName = "native",
    compression: Compression = None,
    compression_threshold: int = COMPRESSION_THRESHOLD,
    queued_bytes: int | None = None,
) -> WebSocketServer:
    """Accept WebSockets, and run ``handler(transport)`` for each in a task of its own. A checkpoint.

    The connection lives as long as its handler and is closed after it: with 1000, or 1011 where it raised an
    exception, which is logged. It runs in ``nursery``, else in that of the actor that calls, else in the
    system's; port 0 picks one.

    Refused with an HTTP status are: another ``path`` (404; None: any will do), pages in browsers but those
    from ``allowed_origins`` (403), a Host header that is none of ``allowed_hosts`` (403; default: on the
    loopback its names, else any), what ``admit`` refuses, more than ``max_connections`` (503), and more than
    ``max_per_address`` from one address, or one network of 64 bits of IPv6 (429). Addresses in the networks
    of ``uncounted_addresses`` are not counted: by default the loopback, where reverse proxies are.

    A handshake, TLS included, may take ``handshake_timeout`` seconds. ``subprotocols``: those it speaks, the
    preferred one first. A peer for which more than ``queued_bytes`` wait, and that takes hardly any of them
    (64 KiB in 5 s), is closed with 1008, and its senders get PeerTooSlow; where the adapter is
    trio-websocket, there is no such limit. The rest is as for `WebSocketTransport`.

    Raises AddressInUse, CannotListen, InvalidSpec, AdapterMissing, NoSystem.
    """
    settings = Settings(
        ping_interval,
        ping_timeout,
        close_timeout,
        max_size,
        queued_bytes,
        compression,
        compression_threshold,
    )
    if not 0 <= port <= 65535:
        raise InvalidSpec("port", port, "give 0 to 65535, where 0 picks one")
    if max_connections < 1:
        raise InvalidSpec("max_connections", max_connections, "give 1 or more")
    if not handshake_timeout > 0:
        raise InvalidSpec("handshake_timeout", handshake_timeout, "give seconds, more than 0")
    home = nursery or current_nursery()
    if home is None:
        raise NoSystem("serve_websocket() without a nursery,")
    server = WebSocketServer(
        handler,
        Doorkeeper.of(host, path, allowed_hosts, allowed_origins, subprotocols, admit),
        settings,
        library_for(adapter, settings),
        max_connections=max_connections,
        addresses=Addresses(max_per_address, uncounted_addresses),
        handshake_timeout=handshake_timeout,
    )
    listeners: Sequence[trio.abc.Listener[trio.abc.Stream]] = await listen(host, port)
    server.host, server.port = host, port_of(listeners, port)
    scheme = "ws" if ssl_context is None else "wss"
    server.url = f"{scheme}://{authority(host, server.port)}{path or '/'}"
    if ssl_context is not None:
        listeners = [trio.SSLListener(each, ssl_context, https_compatible=True) for each in listeners]
    await home.start(server.run, listeners)
    return server
