"""One open connection, of whatever kind."""

from __future__ import annotations

from abc import ABC, abstractmethod

import trio

__all__ = ["Connection"]


class Connection(ABC):
    """Carries messages, in frames of text and binary ones, until it ends: what a transport stands on.

    It raises `aip_trio.errors.TransportError`, never the errors of a library.
    """

    @abstractmethod
    async def send_text(self, data: bytes) -> None:
        """Send a text frame of what is UTF-8. A checkpoint."""

    @abstractmethod
    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame. A checkpoint."""

    async def send_announced(self, text: bytes, data: bytes) -> None:
        """Send a text and the binary frame that it announces. A checkpoint. See `Transport.send_announced`.

        Here one is sent after the other; a connection that can has nothing come between them.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            await self.send_text(text)
            await self.send_bytes(data)
        except trio.Cancelled:
            await self.close()  # noqa: ASYNC102 - ends at once where it is cancelled
            raise

    def send_nowait(self, data: bytes, *, text: bool) -> None:
        """Send a frame where nobody has to wait for it; else WouldBlock. Not a checkpoint."""
        raise trio.WouldBlock

    @abstractmethod
    async def receive_auto(self) -> str | bytes:
        """The next message, as the kind of frame that it came in. A checkpoint."""

    async def receive_bytes(self) -> bytes:
        """The next message as bytes, whatever its frame. A checkpoint."""
        data = await self.receive_auto()
        return data if isinstance(data, bytes) else data.encode()

    @abstractmethod
    async def ping(self) -> None:
        """Wait until the peer has answered a ping. A checkpoint."""

    @abstractmethod
    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection. A checkpoint; cancelled: it ends at once."""

    @abstractmethod
    async def wait_closed(self) -> None:
        """Wait until its socket is closed. A checkpoint."""

    @abstractmethod
    def is_open(self) -> bool:
        """Whether messages can be sent."""

    @property
    def peer(self) -> str:
        """``host:port`` of the peer, for the log."""
        return "unknown"

    @property
    def peer_names(self) -> tuple[str, ...]:
        """The names that the peer has proved to be its own; none: it has shown none."""
        return ()

    @property
    @abstractmethod
    def last_heard(self) -> float:
        """When something came from the peer, in Trio's clock."""

    @property
    @abstractmethod
    def subprotocol(self) -> str | None:
        """What was agreed on in the handshake."""

    @property
    @abstractmethod
    def close_code(self) -> int | None:
        """How the connection ended (RFC 6455, section 7.1.5), None while it has not."""

    @property
    @abstractmethod
    def close_reason(self) -> str:
        """What the side that closed it said about it."""
