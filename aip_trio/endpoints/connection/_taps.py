"""Receivers beside the session: each gets the next message, which the session gets all the same."""

from __future__ import annotations

import trio

from aip_trio.messages import ServerMessage

__all__ = ["Taps"]


class Taps:
    """Who waits for the next message of a connection."""

    def __init__(self) -> None:
        self._waiting: list[trio.MemorySendChannel[ServerMessage]] = []

    def show(self, message: ServerMessage) -> None:
        """A message has come."""
        waiting, self._waiting = self._waiting, []
        for channel in waiting:
            channel.send_nowait(message)

    async def next(self) -> ServerMessage:
        """The next message that comes, from now on. A checkpoint."""
        send, receive = trio.open_memory_channel[ServerMessage](1)
        self._waiting.append(send)
        try:
            return await receive.receive()
        finally:
            if send in self._waiting:
                self._waiting.remove(send)
