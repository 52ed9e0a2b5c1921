"""What every transport does."""

from __future__ import annotations

import math
import ssl
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import trio

from aip_trio.errors import TransportClosed
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

    @abstractmethod
    async def receive(self) -> bytes:
        """The next message. A checkpoint.

        Messages that came before the end of the connection are received before its end is raised. Cancelled:
        the message is the next one's. Raises TransportBusy where another task is in it already.
        """

    @abstractmethod
    async def close(self) -> None:
        """End the connection, if there is one: both sides know. A checkpoint; cancelled: it ends at once."""

    @property
    @abstractmethod
    def is_connected(self) -> bool:
        """Whether messages can be sent and received."""

    async def wait_closed(self) -> None:
        """Wait until the last connection is gone, with its tasks and its socket. A checkpoint."""
        await trio.lowlevel.checkpoint()

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
