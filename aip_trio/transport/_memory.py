"""A transport inside one process."""

from __future__ import annotations

import math
import ssl
from collections.abc import Sequence
from typing import Protocol

import trio

from aip_trio.errors import ConnectFailed, ConnectionLost, InvalidUrl, TransportError, UnexpectedFrame
from aip_trio.transport._codec import Message
from aip_trio.transport._codes import ABNORMAL, check_code
from aip_trio.transport._inbox import Inbox
from aip_trio.transport._life import Life
from aip_trio.transport._payload import as_bytes, is_text
from aip_trio.transport._state import TransportEvent, TransportState
from aip_trio.transport._transport import Transport

__all__ = ["SCHEME", "MemoryTransport"]

SCHEME = "memory://"


class Network(Protocol):
    """Where a transport in memory connects."""

    def dial(self, client: MemoryTransport, url: str, subprotocols: Sequence[str]) -> None:
        """Join it to a peer, or raise ConnectFailed."""


class MemoryTransport(Transport):
    """One end of a connection in memory: one of a `pair`, or what connects in a `MemoryNetwork`.

    Bounded like any other: a send waits while the other end has as much as it can hold and does not receive.
    """

    def __init__(self, network: Network | None = None) -> None:
        self._network = network
        self._life = Life()
        self._inbox = Inbox()
        self._peer: MemoryTransport | None = None
        self._sending = trio.StrictFIFOLock()
        self._ended = trio.Event()
        self._last_heard = -math.inf
        self._subprotocol: str | None = None
        self.close_code: int | None = None
        self.close_reason = ""

    @classmethod
    def pair(cls) -> tuple[MemoryTransport, MemoryTransport]:
        """Two ends, connected to each other."""
        here, there = cls(), cls()
        here._life.begin()
        here.join(there, None)
        return here, there

    def join(self, peer: MemoryTransport, subprotocol: str | None) -> None:
        """The connection that this end asks for is made, with a ``peer`` that is new."""
        peer._life.begin()
        for end, other in ((self, peer), (peer, self)):
            end._life.fire(TransportEvent.SUCCEED)
            end._peer = other
            end._inbox = Inbox()
            end._ended = trio.Event()
            end._last_heard = trio.current_time()
            end._subprotocol = subprotocol
            end.close_code, end.close_reason = None, ""

    async def connect(
        self,
        url: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
        connect_timeout: float = 30.0,
    ) -> None:
        """Connect to ``memory://name``, as `Transport.connect`; TLS, headers and time mean nothing here."""
        if not isinstance(url, str) or not url.startswith(SCHEME):
            raise InvalidUrl(url, "is none of a network in memory: give one such as 'memory://name'")
        self._life.begin()
        try:
            await trio.lowlevel.checkpoint()
            if self._network is None:
                raise ConnectFailed(url, "this transport belongs to no network")
            self._network.dial(self, url, subprotocols)
        except BaseException as error:
            called_off = ConnectFailed(url, "it was called off")
            self._life.fail(error if isinstance(error, TransportError) else called_off)
            raise

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """As `Transport.send`."""
        message = as_bytes(data)
        await self._send((message, is_text(message)))

    async def send_binary(self, data: bytes | bytearray | memoryview) -> None:
        """Send, as a binary frame would be."""
        await self._send((as_bytes(data), False))

    async def send_announced(self, announcement: bytes, data: bytes | bytearray | memoryview) -> None:
        """As `Transport.send_announced`."""
        await self._send((announcement, True), (as_bytes(data), False))

    async def _send(self, *messages: Message) -> None:
        peer = self._connected("send()")
        async with self._sending:
            while peer is self._peer and self._life.connected and peer._inbox.full:
                await peer._inbox.room()
            if peer is not self._peer or not self._life.connected:
                raise self._life.refusal("send()")
            for message in messages:
                peer._inbox.put(message)
            peer._last_heard = trio.current_time()

    async def receive(self) -> bytes:
        """As `Transport.receive`."""
        return (await self._receive())[0]

    async def receive_auto(self) -> str | bytes:
        """The next message: a str where it was sent as text."""
        data, text = await self._receive()
        return data.decode() if text else data

    async def receive_binary(self) -> bytes:
        """The next message, which was sent as binary; else UnexpectedFrame, and it is lost."""
        data, text = await self._receive()
        if text:
            raise UnexpectedFrame("binary", "text")
        return data

    async def _receive(self) -> Message:
        if self._peer is None:
            raise self._life.refusal("receive()")
        return await self._inbox.get()

    async def ping(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - as of every transport
        """Make sure that there is a peer. A checkpoint."""
        self._connected("ping()")
        await trio.lowlevel.checkpoint()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection, if there is one. A checkpoint."""
        check_code(code)
        self.end_now(code, reason)
        await trio.lowlevel.checkpoint()

    def end_now(self, code: int = 1000, reason: str = "") -> None:
        """`close`, without a checkpoint."""
        if self._peer is not None and self._life.connected:
            self._end(None, code, reason)
            self._peer._end(ConnectionLost(code, reason), code, reason)

    def cut(self) -> None:
        """Break the connection, as the network does: both ends are in ERROR, with code 1006."""
        if self._peer is not None and self._life.connected:
            for end in (self, self._peer):
                end._end(ConnectionLost(ABNORMAL, "the connection was cut"), ABNORMAL, "", broken=True)

    def _end(self, loss: TransportError | None, code: int, reason: str, *, broken: bool = False) -> None:
        self.close_code, self.close_reason = code, reason
        if broken and loss is not None:
            self._life.fail(loss)
        else:
            self._life.end(loss)
        self._inbox.end(lambda: self._life.refusal("receive()"), drop=loss is None)
        self._ended.set()

    async def wait_closed(self) -> None:
        """Wait until the connection has ended. A checkpoint."""
        if self._peer is None:
            await trio.lowlevel.checkpoint()
        else:
            await self._ended.wait()

    def reset(self) -> None:
        """From ERROR back to DISCONNECTED. Raises IllegalTransition in any other state."""
        self._life.fire(TransportEvent.RESET)

    @property
    def subprotocol(self) -> str | None:
        """What both ends agreed on, None for nothing."""
        return self._subprotocol

    @property
    def state(self) -> TransportState:
        """Where it stands."""
        return self._life.state

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent and received."""
        return self._life.connected

    @property
    def last_heard(self) -> float:
        """When a message came, in Trio's clock."""
        return self._last_heard

    def _connected(self, call: str) -> MemoryTransport:
        if self._peer is None or not self._life.connected:
            raise self._life.refusal(call)
        return self._peer
