"""An orchestrator's side of its connection for one device."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from aip_trio.actors import ActorRef, handles
from aip_trio.endpoints.connection import ClientSession, Dial
from aip_trio.messages import DeviceInfo, OfferTask, QueryDeviceInfo, RunCommands, TaskEnded

__all__ = ["ConstellationSession"]

logger = logging.getLogger("aip_trio.endpoints")


class ConstellationSession(ClientSession):
    """What comes in is for the roster."""

    def __init__(self, dial: Dial, roster: ActorRef) -> None:
        super().__init__(dial)
        self._roster = roster

    def listeners(self) -> tuple[ActorRef, ...]:
        """The roster, too."""
        return self.nearby("outbox"), self._roster

    def routes(self) -> Mapping[type, ActorRef]:
        """What was asked for is the roster's."""
        return {TaskEnded: self._roster, DeviceInfo: self._roster}

    @handles
    async def task_ended(self, message: TaskEnded) -> None:
        """As routed."""
        await self._roster.tell(message)

    @handles
    async def info_came(self, message: DeviceInfo) -> None:
        """As routed."""
        await self._roster.tell(message)

    @handles
    async def commands(self, message: RunCommands) -> None:
        """Nothing for an orchestrator."""
        self._misdirected("command")

    @handles
    async def offered(self, message: OfferTask) -> None:
        """Word of how a task goes; its lines have been taken from it (see `ConstellationEndpoint`)."""

    @handles
    async def query(self, message: QueryDeviceInfo) -> None:
        """Nothing for an orchestrator."""
        self._misdirected("device_info_request")

    def _misdirected(self, what: str) -> None:
        logger.warning("%s: the server sent a %s, which is for devices", self._dial.client_id, what)
