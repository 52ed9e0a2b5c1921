"""The tasks that run on a device, from what its server sends."""

from __future__ import annotations

from collections.abc import Callable

import trio

from aip_trio.messages import ServerMessage, ServerMessageType, WireModel
from aip_trio.protocol import ProtocolMiddleware

__all__ = ["Sessions"]


class Sessions(ProtocolMiddleware):
    """Knows the sessions that a device has commands of, until the server says that they have ended.

    One for each connection: what a connection leaves open ends with it. The server bounds how many there are.
    ``look`` is called with all messages that bring commands, before the device acts on them.
    """

    def __init__(self, look: Callable[[ServerMessage], None]) -> None:
        self._look = look
        self.open: set[str] = set()
        self._ended = trio.lowlevel.ParkingLot()

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        """As it is."""
        return msg  # noqa: ASYNC910 - it looks, and waits for nothing

    async def process_incoming(self, msg: WireModel) -> WireModel:
        """As it is."""
        if isinstance(msg, ServerMessage) and msg.session_id is not None:
            if msg.type is ServerMessageType.COMMAND:
                self.open.add(msg.session_id)
                self._look(msg)
            elif msg.type is ServerMessageType.TASK_END:
                self.open.discard(msg.session_id)
                self._ended.unpark_all()
        return msg  # noqa: ASYNC910 - it looks, and waits for nothing

    async def all_ended(self) -> None:
        """Wait until the server has said of all of them that they have ended. A checkpoint."""
        await trio.lowlevel.checkpoint()
        while self.open:
            await self._ended.park()
