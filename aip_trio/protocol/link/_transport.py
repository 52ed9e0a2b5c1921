"""A connection that outlives those that carry it."""

from __future__ import annotations

import math
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NoReturn, TypeVar

import trio

from aip_trio.errors import (
    ConnectFailed,
    InvalidMessage,
    InvalidSpec,
    PeerSilent,
    TransportError,
)
from aip_trio.messages import Format
from aip_trio.protocol.link._carrier import Carrier
from aip_trio.protocol.link._fate import Fate
from aip_trio.protocol.link._frames import Bye
from aip_trio.protocol.link._inbox import Inbox
from aip_trio.protocol.link._limits import LinkLimits
from aip_trio.protocol.link._machine import LinkState
from aip_trio.protocol.link._session import LinkSession
from aip_trio.protocol.link._statistics import LinkStatistics
from aip_trio.protocol.link._vigil import Vigil
from aip_trio.protocol.link._wire import Wire
from aip_trio.transport import TRANSPORT_MACHINE, Transport, TransportEvent, TransportState

__all__ = ["LinkTransport"]

T = TypeVar("T")


class LinkTransport(Transport):
    """Messages to one peer and back, each once and in order, over one physical connection after another.

    Made by `open_link`, or by `LinkServer.accept`. It stays connected while no physical connection carries
    it: what is sent is kept, and goes out on the next one. Where none comes within the window, both ends
    raise LinkLost: after that nobody knows which of the last messages have arrived.

    Messages are bytes in the link's own ``format``; what they say is not looked at.
    """

    def __init__(
        self,
        name: str,
        wire: Wire,
        subprotocol: str,
        *,
        window: float,
        limits: LinkLimits,
        until: float = math.inf,
        peer_names: tuple[str, ...] = (),
    ) -> None:
        #: the session's id, which both ends know
        self.name = name
        self._peer_names = peer_names
        self._wire = wire
        self._subprotocol = subprotocol
        self._close_timeout = limits.close_timeout
        self._session = LinkSession(window=window, limits=limits, until=until)
        self._inbox = Inbox(limits)
        self._vigil = Vigil(until)
        self._offer = self._session.offer
        self._turn = trio.StrictFIFOLock()  # of those who wait for room
        self._waiting = 0  # how many do
        self._room = trio.lowlevel.ParkingLot()
        self._closing = False
        self._ending = False  # it is closing, or over
        self._was_reset = False
        self._fate = Fate(name, self._session, window, self._conclude)
        self._carrier = Carrier(
            self._session, self._fate, self._vigil, wire, subprotocol, self._inbox, self._room, limits
        )
        #: whose it is, for a log: what its owner calls the peer
        self.owner = name
        #: called once, when the session is over
        self.on_end: Callable[[], object] = _nothing

    # Messages

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send a message: it is kept until the peer has it. See `Transport.send`.

        Waits while as much as `LinkLimits` allow is kept. Raises LinkLost, and InvalidMessage for what the
        link cannot carry: with `aip.v2+json`, line breaks in what is no JSON.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        message = self._fit(data)
        if self._ending or self._carrier.attachment is None:
            self._check("send()")
        if self._waiting or not self._offer(message):
            await self._wait_to_offer(message)
        attachment = self._carrier.attachment
        if attachment is not None and attachment.idle:
            await attachment.write()
        else:
            await trio.lowlevel.cancel_shielded_checkpoint()

    def send_nowait(self, data: bytes | bytearray | memoryview) -> None:
        """Send a message, in one frame with those that follow at once. Not a checkpoint.

        Raises WouldBlock, a Trio error, where `send` would wait; else as `send`.
        """
        attachment = self._carrier.attachment
        if self._ending or attachment is None:
            self._check("send_nowait()")
        if self._waiting or not self._offer(self._fit(data)):
            raise trio.WouldBlock
        if attachment is not None and attachment.idle:
            attachment.wake()

    def _fit(self, data: bytes | bytearray | memoryview) -> bytes:
        if type(data) is bytes:
            return self._wire.fit(data)
        if isinstance(data, (bytes, bytearray, memoryview)):
            return self._wire.fit(bytes(data))
        raise InvalidMessage(data, "is no bytes: encode a text with .encode()")

    async def _wait_to_offer(self, message: bytes) -> None:
        """Have it taken once there is room, behind those that wait already."""
        self._waiting += 1
        try:
            async with self._turn:
                self._check("send()")
                while not self._offer(message):
                    with self._vigil.watch():
                        await self._room.park()
                    self._check("send()")
        finally:
            self._waiting -= 1

    async def receive(self) -> bytes:
        """As `Transport.receive`. Raises LinkLost."""
        return await self._get("receive()", self._inbox.take)

    async def receive_many(self) -> list[bytes]:
        """All messages that have come, at least one; else as `receive`. A checkpoint."""
        return await self._get("receive_many()", self._inbox.take_all)

    async def _get(self, call: str, take: Callable[[], T]) -> T:
        inbox, session = self._inbox, self._session
        if inbox.ready:
            return await inbox.get(call, take)
        while True:
            if session.deadline == math.inf:  # no window runs; where one begins to, the carrier nudges
                await inbox.wait(call)
            else:
                with self._vigil.watch():
                    await inbox.wait(call)
                self._fate.look()
            if inbox.ready:
                return take()

    # Physical connections

    def claim(self, physical: Transport, peer_seen: int) -> bool:
        """From now on this connection, and no other, may `carry`: False where the session is over.

        ``peer_seen``: the last number that its peer has seen. For `open_link` and `LinkServer`.
        """
        return self._carrier.claim(physical, peer_seen)

    def is_claimed_by(self, physical: Transport) -> bool:
        """Whether nobody has claimed it since."""
        return self._carrier.is_claimed_by(physical)

    async def carry(
        self, physical: Transport, *, beside: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        """Be carried by this connection, which has claimed it, until either ends. A checkpoint.

        The connection is then closed. One that another has replaced is closed at once. ``beside`` runs in a
        task meanwhile, and is cancelled when this connection ends.
        """
        await self._carrier.carry(physical, beside)

    async def drop(self) -> None:
        """Cut the physical connection alone: where the session can be resumed it will be. A checkpoint."""
        attachment = self._carrier.attachment
        if attachment is None:
            await trio.lowlevel.checkpoint()
            return
        self._carrier.detach(attachment)
        await attachment.ended.wait()

    async def ping(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - a check, which has its own time
        """Make sure that the peer is there. A checkpoint; raises PeerSilent after ``timeout`` seconds.

        While nothing carries the session that is waited for.
        """
        with trio.move_on_after(timeout):
            while True:
                self._check("ping()")
                attachment = self._carrier.attachment
                if attachment is None:
                    with self._vigil.watch():
                        await self._carrier.arrived.wait()
                    continue
                with suppress(TransportError):
                    try:
                        await attachment.physical.ping(timeout)
                    except PeerSilent:
                        break
                    return  # noqa: ASYNC910 - the ping was one
                attachment.broke()
                await attachment.ended.wait()  # who reads it may still find a goodbye
        raise PeerSilent(timeout)

    # The end

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session, in order: what waits is sent, and the peer told. A checkpoint.

        Where nothing carries it just now it ends at once, and the peer finds it gone. Takes at most
        ``close_timeout``; cancelled: it ends at once.
        """
        if not 1000 <= code <= 4999:
            raise InvalidSpec("code", code, "give 1000 to 4999")
        self._fate.look()
        if self._closing:
            await self._fate.over.wait()
            return
        attachment = self._carrier.attachment
        if self._session.over or attachment is None:
            self._fate.close()
            await trio.lowlevel.checkpoint()
            return
        self._closing = self._ending = True
        try:
            with trio.move_on_after(self._close_timeout):
                await attachment.part(Bye(code, reason[:500]))
                self._fate.close()
                await attachment.physical.close()
        finally:
            attachment.end(Bye(code, reason[:500]))
            self._fate.close()

    def abandon(self, reason: str) -> None:
        """Nobody will carry it any more: it is lost, unless it is over."""
        self._fate.lose(reason)

    def _conclude(self, drop: bool) -> None:
        """It is over: tell everybody."""
        self._ending = True
        self._inbox.end(lambda: self._fate.refusal("receive()"), drop=drop)
        self._room.unpark_all()
        self._carrier.arrived.set()
        self._vigil.until()
        self.on_end()

    def _check(self, call: str) -> None:
        self._fate.look()
        if self._ending:
            raise self._fate.refusal(call)

    async def wait_closed(self) -> None:
        """Wait until the session is over, and what carried it closed. A checkpoint."""
        while not self._fate.over.is_set():
            with self._vigil.watch():
                await self._fate.over.wait()
            self._fate.look()
        if self._carrier.attachment is not None:
            await self._carrier.attachment.ended.wait()
        else:
            await trio.lowlevel.checkpoint()

    # How it stands

    async def connect(
        self,
        url: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
        connect_timeout: float = 30.0,
    ) -> NoReturn:
        """A link is opened once, by `open_link`: raises ConnectFailed, or IllegalTransition. A checkpoint."""
        await trio.lowlevel.checkpoint()
        TRANSPORT_MACHINE.next(self.state, TransportEvent.CONNECT)
        raise ConnectFailed(url, "this link has been closed: open another one, with open_link()")

    def reset(self) -> None:
        """From ERROR to DISCONNECTED. Raises IllegalTransition."""
        super().reset()
        self._was_reset = True

    @property
    def state(self) -> TransportState:
        """CONNECTED until the session is over, whether something carries it or not."""
        self._fate.look()
        if self._session.state is LinkState.CLOSED or self._was_reset:
            return TransportState.DISCONNECTED
        if self._session.state is LinkState.LOST:
            return TransportState.ERROR
        return TransportState.DISCONNECTING if self._closing else TransportState.CONNECTED

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent and received: until the session is over."""
        return self.state is TransportState.CONNECTED

    @property
    def resumes(self) -> bool:
        """Yes."""
        return True

    @property
    def attached(self) -> bool:
        """Whether a physical connection carries it now."""
        return self._carrier.attachment is not None

    @property
    def seen(self) -> int:
        """The number of the last message that has come."""
        return self._session.seen

    @property
    def progress(self) -> tuple[int, int]:
        """How many messages have come, and how many have been acknowledged."""
        return self._session.seen, self._session.replay.acknowledged

    @property
    def deadline(self) -> float:
        """When it will be lost, in Trio's clock; infinity while it is carried."""
        return self._session.deadline

    @property
    def resumptions(self) -> int:
        """How often another physical connection has taken over."""
        return self._session.resumptions

    @property
    def format(self) -> Format:
        """What its messages are written in."""
        return self._wire.format

    @property
    def subprotocol(self) -> str:
        """What both ends agreed on."""
        return self._subprotocol

    @property
    def peer(self) -> str:
        """``host:port`` of the peer, as it last was, for the log."""
        return self._carrier.peer

    @property
    def peer_names(self) -> tuple[str, ...]:
        """Those of the certificate that the peer showed at first; a server lets it resume with no other."""
        return self._peer_names

    @property
    def last_heard(self) -> float:
        """When something came from the peer; now, while nothing carries it: then the window decides."""
        attachment = self._carrier.attachment
        if attachment is not None:
            return max(attachment.physical.last_heard, attachment.heard)
        return self._carrier.last_heard if self._session.over else trio.current_time()

    def statistics(self) -> LinkStatistics:
        """What has happened so far."""
        return LinkStatistics.of(self._session)


def _nothing() -> None:
    """Nobody asked to be told."""
