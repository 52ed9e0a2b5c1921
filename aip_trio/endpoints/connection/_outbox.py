"""Where a client's messages wait for a connection: it outlives connections."""

from __future__ import annotations

import logging
from collections import deque

from aip_trio.actors import Actor, handles
from aip_trio.endpoints.connection._line import ClientLine
from aip_trio.endpoints.connection._messages import LineDown, LineUp, Send
from aip_trio.messages import FromClient

__all__ = ["Outbox"]

logger = logging.getLogger("aip_trio.endpoints")

#: Messages that are kept while there is no connection; older ones make room.
_KEPT = 256


class Outbox(Actor):
    """Everybody on the client's side sends through it, without knowing whether there is a connection.

    On an `aip.v1` link what belongs to a session ends with the connection; what is ``lasting`` is kept
    for the next one. ``dropped`` counts what was not sent.
    """

    def __init__(self) -> None:
        self._line: ClientLine | None = None
        self._kept: deque[FromClient] = deque()
        self.dropped = 0

    @handles
    async def up(self, message: LineUp) -> None:
        """A connection; what has waited goes first."""
        self._line = message.line
        while self._kept and self._line is not None:
            await self._line.send_or_say(self._kept.popleft())

    @handles
    async def down(self, message: LineDown) -> None:
        """It has gone. (A later one may be up already.)"""
        if self._line is message.line:
            self._line = None

    @handles
    async def send(self, message: Send) -> None:
        """On its way, kept, or dropped."""
        if self._line is not None:
            await self._line.send_or_say(message.message)
        elif message.lasting:
            self._kept.append(message.message)
            if len(self._kept) > _KEPT:
                self._kept.popleft()
                self._drop("too many messages wait for a connection")
        else:
            self._drop("there is no connection")

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        logger.info("%s: a message was dropped: %s (%d so far)", self.path, reason, self.dropped)
