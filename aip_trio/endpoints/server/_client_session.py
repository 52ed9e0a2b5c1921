"""What a device and a constellation have in common on the server: heartbeats, and tasks they ask for."""

from __future__ import annotations

import logging
from typing import Any, cast

from aip_trio.actors import Actor, handles
from aip_trio.endpoints.server._directory import Client
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._line import ServerLine
from aip_trio.endpoints.server._messages import Joined
from aip_trio.endpoints.server._turns import OpenTurns
from aip_trio.errors import TaskRefused
from aip_trio.messages import (
    AskForTask,
    ErrorFromClient,
    Heartbeat,
    OfferTask,
    Register,
    TaskEnded,
    TaskStatus,
)
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import Attach

__all__ = ["ClientSession"]

logger = logging.getLogger("aip_trio.endpoints")


class ClientSession(Actor):
    """One registered client on the server. Everything that reaches it was checked by its link."""

    def __init__(
        self,
        hub: Hub,
        protocol: AIPProtocol,
        register: Register,
        websocket: object,
        turns: OpenTurns,
    ) -> None:
        self._hub = hub
        self._protocol = protocol
        self._register = register
        self._websocket = websocket
        self._turns = turns

    async def started(self) -> None:
        """Enter the directory, acknowledge the registration, and only then read on."""
        link = self.sibling("link")
        self._line = ServerLine(self._protocol)
        info = (self._register.metadata or {}).get("system_info")
        connection = self.system.find(self.path.rpartition("/")[0])
        assert connection is not None
        self._client = Client(
            self._register,
            self._line,
            self._turns,
            self.ref,
            connection,
            self._websocket,
            cast("dict[str, Any]", info) if isinstance(info, dict) else None,
        )
        await self._hub.keeper.ask(Joined(self._client))
        await self._line.acknowledge()
        await link.tell(Attach(self.ref))

    @handles
    async def heartbeat(self, message: Heartbeat) -> None:
        """wire/aip.md, 3."""
        await self._line.acknowledge()

    @handles
    async def complaint(self, message: ErrorFromClient) -> None:
        """Nobody is waiting for it: it is for those who read the log."""
        logger.warning("client %s reports an error: %s", self._register.client_id, message.error)

    @handles
    async def register_again(self, message: Register) -> None:
        """Once is enough."""
        await self._line.refuse("this connection is registered already: register once, with the first frame")

    @handles
    async def ask_for_task(self, message: AskForTask) -> None:
        """Start a task, or say why not; either way there will be one `task_end`."""
        session_id = message.session_id or self.system.environment.new_id()
        try:
            order = self._hub.directory.order(self._client, message, session_id)
        except TaskRefused as refused:
            await self._line.send(
                TaskEnded(
                    session_id,
                    TaskStatus.FAILED,
                    error=refused.reason,
                    response_id=message.request_id or self.system.environment.new_id(),
                    task_name=message.task_name,
                )
            )
            return
        try:
            await self._hub.tasks.start_child_with(order)
        except BaseException:
            self._hub.directory.close(order)
            raise

    @handles
    async def offer(self, message: OfferTask) -> None:
        """A task for the device to ask for (wire/aip.md, 5)."""
        await self._line.send(message)
