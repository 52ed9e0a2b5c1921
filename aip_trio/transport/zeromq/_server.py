"""A server of ZeroMQ connections: one ROUTER for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import attrs
import trio
import zmq

from aip_trio.actors import current_nursery
from aip_trio.errors import InvalidSpec, NoSystem, TransportError
from aip_trio.transport._addresses import LOOPBACK, Addresses
from aip_trio.transport._codec import Closed, FrameFault
from aip_trio.transport._codes import PROTOCOL_ERROR, check_code
from aip_trio.transport._conversation import converse
from aip_trio.transport._handshake import Admit, Doorkeeper, Refusal
from aip_trio.transport._life import Life
from aip_trio.transport._settings import Settings
from aip_trio.transport._state import TransportEvent
from aip_trio.transport._words import check_subprotocols
from aip_trio.transport.zeromq._address import Address
from aip_trio.transport.zeromq._connection import ZeroMQConnection
from aip_trio.transport.zeromq._curve import CurveServer
from aip_trio.transport.zeromq._dealer import LINGER, QUEUE, frame_limit
from aip_trio.transport.zeromq._entrance import Entrance, Guest
from aip_trio.transport.zeromq._events import Connected, Disconnected, EventsLost, MonitorEvent
from aip_trio.transport.zeromq._flow import WINDOW
from aip_trio.transport.zeromq._kind import Kind
from aip_trio.transport.zeromq._monitor import Monitor
from aip_trio.transport.zeromq._peer import Delivery, Peer
from aip_trio.transport.zeromq._socket import ZeroMQSocket
from aip_trio.transport.zeromq._suspects import Suspects
from aip_trio.transport.zeromq._transport import ZeroMQTransport
from aip_trio.transport.zeromq._wire import VERSION, Gone, Hello, Refused, Saying, Welcome, read, write

__all__ = ["ZeroMQServer", "ZeroMQServerStatistics", "serve_zeromq"]


@attrs.frozen
class ZeroMQServerStatistics:
    """Counters of a server."""

    #: that live now
    connections: int
    #: hellos since the start
    accepted: int
    #: answered with an HTTP status
    refused: int
    #: those by the rule that they met: ``connections``, ``connections_per_address``, ``closing``, and what
    #: ``admit`` says
    refusals: Mapping[str, int]
    #: that said something else before their hello
    failed: int
    #: whose handler raised an exception
    crashed: int


@attrs.frozen(eq=False)
class _Visitor:
    """A connection, and what it is known by beside its routing id."""

    connection: ZeroMQConnection
    guest: Guest
    #: libzmq's number for the connection beneath; -1: none
    number: int


class ZeroMQServer:
    """Made by `serve_zeromq`."""

    def __init__(
        self,
        handler: Callable[[ZeroMQTransport], Awaitable[object]],
        socket: ZeroMQSocket,
        entrance: Entrance,
        settings: Settings,
    ) -> None:
        self._handler = handler
        self._socket = socket
        self._entrance = entrance
        self._settings = settings
        self._visitors: dict[bytes, _Visitor] = {}
        self._transports: set[ZeroMQTransport] = set()
        self._suspects = Suspects()
        self._numbers: dict[int, bytes] = {}  # the latest visitor of each of libzmq's
        self._accepted = self._failed = self._crashed = 0
        self._closing: tuple[int, str] | None = None
        self._draining = trio.Event()
        self._serving = trio.CancelScope()
        self._ended = trio.Event()
        self._handlers: trio.Nursery | None = None
        self.url = ""

    def statistics(self) -> ZeroMQServerStatistics:
        """What has happened so far."""
        return ZeroMQServerStatistics(
            len(self._visitors),
            self._accepted,
            self._entrance.refusals.total(),
            dict(self._entrance.refusals),
            self._failed,
            self._crashed,
        )

    async def drain(self) -> None:
        """Accept no more connections; those that there are live on. A checkpoint."""
        self._entrance.closed = True
        self._draining.set()
        await trio.lowlevel.checkpoint()

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
        self, events: Monitor, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve until it is drained and the last connection has gone. A checkpoint."""
        try:
            with self._serving:
                async with trio.open_nursery() as upkeep:
                    async with trio.open_nursery() as self._handlers:
                        for task in (self._read, self._suspects.run, partial(self._watch, events)):
                            upkeep.start_soon(task)
                        task_status.started()
                        await self._draining.wait()
                    upkeep.cancel_scope.cancel()
        finally:
            self._draining.set()
            with trio.CancelScope(shield=True):  # takes LINGER at most
                await self._socket.close()
            self._ended.set()

    async def _read(self) -> None:  # noqa: ASYNC910 - not called from outside
        while True:
            for delivery in await self._socket.receive_many_with_peer():
                identity, *frames = delivery.frames
                visitor = self._visitors.get(identity)
                if visitor is None:
                    self._knock(identity, frames, delivery)
                else:
                    visitor.connection.came(frames)

    async def _watch(self, events: Monitor) -> None:  # noqa: ASYNC910 - not called from outside
        """Who may have gone is looked after: what was said last may still be on its way here."""
        async for event in events:
            self._seen(event)

    def _seen(self, event: MonitorEvent) -> None:
        match event:
            case Connected(_, number, peer):
                self._entrance.seen(number, peer)
            case Disconnected(_, number):
                self._entrance.lost(number)
                self._suspect(number)
            case EventsLost():
                for visitor in self._visitors.values():
                    self._suspects.add(visitor.connection)
            case _:
                pass

    def _suspect(self, number: int) -> None:
        """The connection of this number has ended, and perhaps a later one with the same has begun."""
        visitor = self._visitors.get(self._numbers.get(number, b""))
        if visitor is not None:
            self._suspects.add(visitor.connection)

    # Whom it lets in

    def _knock(self, identity: bytes, frames: Sequence[bytes], delivery: Delivery) -> None:
        """Something from one who has no connection, or none any more."""
        try:
            saying = read(frames, self._settings.max_size)
        except FrameFault as fault:
            self._failed += 1
            self._answer(identity, Closed(fault.code, fault.reason))
            return
        if isinstance(saying, Hello):
            self._hear(identity, saying, delivery.peer)
        elif not isinstance(saying, (Closed, Gone)):
            self._failed += 1
            self._answer(identity, Closed(PROTOCOL_ERROR, "there is no connection: say hello first"))

    def _hear(self, identity: bytes, hello: Hello, peer: Peer) -> None:
        self._accepted += 1
        verdict = self._entrance.judge(hello, peer)
        if isinstance(verdict, Refusal):
            self._answer(identity, Refused(verdict.status, verdict.body))
            return
        life = Life()
        life.begin()
        life.fire(TransportEvent.SUCCEED)
        connection = ZeroMQConnection(
            lambda frames: self._socket.send_nowait([identity, *frames]),
            settings=self._settings,
            life=life,
            window=hello.window,
            max_size=hello.max_size,
            subprotocol=verdict.subprotocol,
            peer=verdict.name,
            peer_names=(peer.key,) if peer.key else (),
        )
        self._visitors[identity] = _Visitor(connection, verdict, peer.connection)
        if peer.connection >= 0:
            self._suspect(peer.connection)  # whoever had it before
            self._numbers[peer.connection] = identity
        self._answer(identity, Welcome(VERSION, verdict.subprotocol, WINDOW, self._settings.max_size))
        assert self._handlers is not None
        self._handlers.start_soon(self._serve, identity)

    def _answer(self, identity: bytes, saying: Saying) -> None:
        """Say something to one who has no connection. Whether it takes that is its own affair."""
        with suppress(trio.WouldBlock, TransportError):
            self._socket.send_nowait([identity, *write(saying)])

    # One connection

    async def _serve(self, identity: bytes) -> None:
        """The life of one connection: as long as its handler."""
        visitor = self._visitors[identity]
        transport = ZeroMQTransport.over(visitor.connection)
        self._transports.add(transport)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._attend, visitor.connection)
                if self._closing is None:
                    farewell = await converse(self._handler, transport, transport.peer)
                    self._crashed += farewell.crashed
                    await transport.close(farewell.code, farewell.reason)
                else:  # since its hello
                    await transport.close(*self._closing)
        finally:
            self._transports.remove(transport)
            self._entrance.left(visitor.guest)
            del self._visitors[identity]
            if self._numbers.get(visitor.number) == identity:
                del self._numbers[visitor.number]

    async def _attend(self, connection: ZeroMQConnection) -> None:  # noqa: ASYNC910 - not called from outside
        try:
            await connection.run()
        finally:
            connection.ended.set()


async def serve_zeromq(
    handler: Callable[[ZeroMQTransport], Awaitable[object]],
    url: str,
    *,
    nursery: trio.Nursery | None = None,
    admit: Admit | None = None,
    subprotocols: Sequence[str] = (),
    max_connections: int = 10_000,
    max_per_address: int | None = None,
    uncounted_addresses: Sequence[str] = LOOPBACK,
    handshake_timeout: float = 10.0,
    ping_interval: float | None = 30.0,
    ping_timeout: float | None = 180.0,
    close_timeout: float = 10.0,
    max_size: int = 104857600,
    queued_bytes: int | None = None,
    curve: CurveServer | None = None,
) -> ZeroMQServer:
    """Listen at a URL, and run ``handler(transport)`` for each connection in a task of its own. A checkpoint.

    ``url``: ``tcp://127.0.0.1:5555``, whose port may be 0 or ``*`` to have one picked,
    ``ipc:///run/fleet.sock`` or ``inproc://name``; `ZeroMQServer.url` is the real one. The connection lives
    as long as its handler and is closed after it: with 1000, or 1011 where it raised an exception, which is
    logged. It runs in ``nursery``, else in that of the actor that calls, else in the system's.

    Refused with an HTTP status are: what ``admit`` refuses, more than ``max_connections`` (503), and more
    than ``max_per_address`` from one address (429), as with `serve_websocket`. A peer for which more than
    ``queued_bytes`` wait, and that takes none of them for 5 s, is closed with 1008, and its senders get
    PeerTooSlow.

    ``curve``: clients have to show one of its keys. What ZeroMQ itself has to say first, encryption
    included, may take ``handshake_timeout`` seconds. ``subprotocols``: those it speaks, the preferred one
    first. The rest is as for `ZeroMQTransport`.

    Raises AddressInUse, CannotListen, InvalidUrl, InvalidSpec, NoSystem.
    """
    settings = Settings(ping_interval, ping_timeout, close_timeout, max_size, queued_bytes)
    address = Address.parse(url, listening=True)
    if max_connections < 1:
        raise InvalidSpec("max_connections", max_connections, "give 1 or more")
    if not handshake_timeout > 0:
        raise InvalidSpec("handshake_timeout", handshake_timeout, "give seconds, more than 0")
    home = nursery or current_nursery()
    if home is None:
        raise NoSystem("serve_zeromq() without a nursery,")
    doorkeeper = Doorkeeper(None, None, (), check_subprotocols(subprotocols), admit)
    addresses = Addresses(max_per_address, uncounted_addresses)
    socket = ZeroMQSocket(
        Kind.ROUTER,
        send_limit=QUEUE,
        receive_limit=QUEUE,
        max_size=frame_limit(max_size),
        linger=LINGER,
        curve=curve,
        options={zmq.HANDSHAKE_IVL: max(1, round(1000 * handshake_timeout))},
    )
    entrance = Entrance(address.scheme, doorkeeper, addresses, max_connections)
    server = ZeroMQServer(handler, socket, entrance, settings)
    events = socket.monitor()
    try:
        await events.__aenter__()  # it ends with the socket
        server.url = await socket.bind(url)
        await home.start(server.run, events)
    except BaseException:  # the nursery's too, which may be closed
        with trio.CancelScope(shield=True):  # a second at most: the address is free then
            await socket.close(linger=0)
        raise
    return server
