"""What every transport does."""

from __future__ import annotations

import math
import ssl
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import trio

from aip_trio.errors import NoBinaryFrames, TransportClosed
from aip_trio.transport._state import TRANSPORT_MACHINE, TransportEvent, TransportState

__all__ = ["Transport"]


class Transport(ABC):
    """Carries messages, which are bytes, to one peer and back; whole, in order, each once.

    Used as ``async with transport:``, where its tasks live in the block and leaving it closes it; or inside a
    running system, where they live in the nursery of the actor that connects, else in the system's.

    `send` and `receive` raise `aip_trio.errors.TransportError`, a ConnectionError, where there is no
    connection or none any more. Any number of tasks may send; one at a time may receive.

    A transport of your own needs `connect`, `send`, `receive`, `close` and `is_connected`; the rest has a
    default that a transport without states or tasks can live with.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "send" in cls.__dict__ and "send_nowait" not in cls.__dict__:  # no way around a `send` of its own
            cls.send_nowait = Transport.send_nowait  # type: ignore[method-assign]
        if cls.__dict__.keys() & {"send", "send_binary"} and "send_announced" not in cls.__dict__:
            cls.send_announced = Transport.send_announced  # type: ignore[method-assign]

    @abstractmethod
    async def connect(
        self,
        url: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
        connect_timeout: float = 30.0,
    ) -> None:
        """Connect to who listens at this URL. A checkpoint.

        ``headers`` go with the request, ``subprotocols`` are offered, the preferred one first. The whole may
        take ``connect_timeout`` seconds.

        Raises ConnectFailed, HandshakeRefused, InvalidUrl; IllegalTransition where it is connected, or in
        ERROR and not `reset`.
        """

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Send one message, after all those whose sending has begun. A checkpoint.

        Returns when it is on its way; that waits while the peer does not read. Cancelled: it was not sent, or
        will be as a whole.
        """

    def send_nowait(self, data: bytes) -> None:
        """Send one message where nobody has to wait for it. Not a checkpoint: only where one follows.

        Raises WouldBlock, a Trio error, where `send` has to be called instead: here always.
        """
        raise trio.WouldBlock

    @abstractmethod
    async def receive(self) -> bytes:
        """The next message. A checkpoint.

        Messages that came before the end of the connection are received before its end is raised. Cancelled:
        the message is the next one's. Raises TransportBusy where another task is in it already.
        """

    async def receive_many(self) -> list[bytes]:
        """All messages that have come, at least one: as `receive`, where many come at once. A checkpoint."""
        return [await self.receive()]

    # Binary messages, told from text, are for transports that have both kinds of frames

    @property
    def has_binary_frames(self) -> bool:
        """Whether it tells binary messages from text: whether it has a `send_binary` of its own."""
        return type(self).send_binary is not Transport.send_binary

    async def send_binary(self, data: bytes) -> None:
        """Send one message as a binary frame, as `send`. A checkpoint. Raises NoBinaryFrames: here always."""
        await trio.lowlevel.checkpoint()
        raise NoBinaryFrames(self, "send_binary()")

    async def receive_auto(self) -> str | bytes:
        """The next message, as `receive`: a str from a text frame, bytes from a binary one. A checkpoint.

        Raises NoBinaryFrames: here always.
        """
        await trio.lowlevel.checkpoint()
        raise NoBinaryFrames(self, "receive_auto()")

    async def send_announced(self, announcement: bytes, data: bytes) -> None:
        """Send a text and the binary message that it announces, with nothing between them. A checkpoint.

        Cancelled: both were not sent, or both will be; where a transport cannot see to that the connection
        has ended. Here the two are sent one after the other, so messages of other senders may come between
        them, as AIP's own receiver allows.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if not self.has_binary_frames:
            raise NoBinaryFrames(self, "send_announced()")
        try:
            await self.send(announcement)
            await self.send_binary(data)
        except trio.Cancelled:
            await self.drop()  # noqa: ASYNC102 - ends at once where it is cancelled
            raise

    @abstractmethod
    async def close(self) -> None:
        """End the connection, if there is one: both sides know. A checkpoint; cancelled: it ends at once."""

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether messages can be sent and received."""

    async def drop(self) -> None:
        """Give the connection up without a goodbye: nobody is there to hear it. A checkpoint.

        Where it `resumes`, only what is beneath it is given up, and made anew.
        """
        with trio.move_on_after(0):
            await self.close()

    async def wait_closed(self) -> None:
        """Wait until the last connection is gone, with its tasks and its socket. A checkpoint."""
        await trio.lowlevel.checkpoint()

    @property
    def resumes(self) -> bool:
        """Whether a connection that is lost is made anew beneath it, and no message is lost with it."""
        return False

    @property
    def subprotocol(self) -> str | None:
        """What both ends agreed on when they connected, None for nothing."""
        return None

    @property
    def peer_names(self) -> tuple[str, ...]:
        """The names in the certificate that the peer has shown, and this side has verified; none: no
        certificate.
        """
        return ()

    @property
    def state(self) -> TransportState:
        """Where it stands."""
        return TransportState.CONNECTED if self.is_connected else TransportState.DISCONNECTED

    def reset(self) -> None:
        """From ERROR back to DISCONNECTED, from where it can connect anew. Raises IllegalTransition."""
        TRANSPORT_MACHINE.next(self.state, TransportEvent.RESET)

    async def ping(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - a check, which has its own time
        """Make sure that the peer is there. A checkpoint; raises PeerSilent after ``timeout`` seconds."""
        if not self.is_connected:
            raise TransportClosed("ping()", self.state.value)
        await trio.lowlevel.checkpoint()

    @property
    def last_heard(self) -> float:
        """When something came from the peer, in Trio's clock; minus infinity where it cannot tell."""
        return -math.inf

    async def __aenter__(self) -> Self:
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()  # noqa: ASYNC102 - ends at once where it is cancelled
