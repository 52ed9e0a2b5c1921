"""A device's side of its connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from aip_trio.actors import ActorRef, handles
from aip_trio.endpoints.connection import ClientSession, Dial, Send, Taker
from aip_trio.endpoints.device._executor import Answer, AskTaker
from aip_trio.errors._base import told
from aip_trio.messages import (
    AskForTask,
    DeviceInfo,
    OfferTask,
    QueryDeviceInfo,
    ReportDeviceInfo,
    RunCommands,
    TaskEnded,
)

__all__ = ["DeviceSession"]

logger = logging.getLogger("aip_trio.endpoints")


class DeviceSession(ClientSession):
    """Commands to the executor, answers to the outbox."""

    def __init__(self, dial: Dial, info: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__(dial)
        self._info = info

    async def started(self) -> None:
        """Find whom to route to, and register."""
        self._outbox = self.nearby("outbox")
        self._executor = self.nearby("executor")
        await super().started()

    def listeners(self) -> tuple[ActorRef, ...]:
        """The executor, too: on this link its tasks end with the connection."""
        return self._outbox, self._executor, self.nearby("watch")

    def routes(self) -> Mapping[type, ActorRef]:
        """An answer that is known already is the executor's to send."""
        return {Answer: self._executor}

    async def taker(self) -> Taker:
        """Commands go on the executor's agenda, and the end of their task takes them from it.

        It is asked for: so the executor knows of this connection before anything comes over it.
        """
        return await self._executor.ask(AskTaker())

    @handles
    async def commands(self, message: RunCommands) -> None:
        """The link deals with them before."""

    @handles
    async def task_ended(self, message: TaskEnded) -> None:
        """The link deals with it before."""

    @handles
    async def offered(self, message: OfferTask) -> None:
        """Ask for it (wire/aip.md, 5)."""
        ask = AskForTask(
            request=message.user_request,
            task_name=message.task_name,
            session_id=message.session_id,
            client_id=self._dial.client_id,
            client_type=self._dial.client_type,
        )
        await self._outbox.tell(Send(ask))

    @handles
    async def query(self, message: QueryDeviceInfo) -> None:
        """Tell of this device."""
        try:
            report = ReportDeviceInfo(dict(self._info()), request_id=message.response_id)
        except Exception as error:
            logger.exception("%s: telling of the device failed", self._dial.client_id)
            reason = told(error)
            report = ReportDeviceInfo(None, request_id=message.response_id, error=reason)
        await self._outbox.tell(Send(report))

    @handles
    async def device_info(self, message: DeviceInfo) -> None:
        """Only an orchestrator asks for it."""
        logger.info("%s: an answer about a device that was not asked for", self._dial.client_id)
