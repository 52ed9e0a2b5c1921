"""One face for the WebSockets of different libraries."""

from __future__ import annotations

from abc import abstractmethod

from aip_trio.transport._connection import Connection

__all__ = ["WebSocketAdapter"]


class WebSocketAdapter(Connection):
    """An open WebSocket. It raises `aip_trio.errors.TransportError`, never its library's own errors."""

    @abstractmethod
    async def send(self, data: str) -> None:
        """Send a text frame. A checkpoint."""

    async def send_text(self, data: bytes) -> None:
        """Send a text frame of what is UTF-8 already. A checkpoint."""
        await self.send(str(data, "utf-8"))

    async def receive(self) -> str:
        """The next message as text, whatever its frame; what is no UTF-8 is replaced. A checkpoint."""
        data = await self.receive_auto()
        return data if isinstance(data, str) else data.decode(errors="replace")
