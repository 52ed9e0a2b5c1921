"""A device on the server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import trio

from aip_trio.actors import Reply, handles
from aip_trio.endpoints._tasks import end_of
from aip_trio.endpoints.server._client_session import ClientSession
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._messages import Ended, Outcome, QueryInfo
from aip_trio.endpoints.server._turns import OpenTurns
from aip_trio.errors import ActorStopped, DeviceInfoUnavailable, MailboxFull
from aip_trio.messages import (
    AskDeviceInfo,
    CommandResults,
    EndTask,
    QueryDeviceInfo,
    Register,
    ReportDeviceInfo,
    TaskStatus,
)
from aip_trio.protocol import AIPProtocol

__all__ = ["DeviceSession"]


class DeviceSession(ClientSession):
    """Takes what a device sends to whom it concerns, if that is this device's to say (wire/aip.md, 2).

    Its results do not come here: the link hands them to who waits for them, see `OpenTurns`.
    """

    def __init__(
        self,
        hub: Hub,
        protocol: AIPProtocol,
        register: Register,
        websocket: object,
        turns: OpenTurns,
    ) -> None:
        super().__init__(hub, protocol, register, websocket, turns)
        self._queries: dict[str, tuple[Reply[Mapping[str, Any]], trio.CancelScope]] = {}

    @handles
    async def results(self, message: CommandResults) -> None:
        """The link deals with them before."""

    @handles
    async def end_task(self, message: EndTask) -> None:
        """Ends a running task; else it acknowledges our own word that it has ended."""
        status = end_of(message.status)
        if status is None:
            reason = f"a task_end with status {message.status.value!r} ends nothing: say completed or failed"
            await self._line.refuse(reason, session_id=message.session_id)
            return
        error = message.error or (None if status is TaskStatus.COMPLETED else "ended by the device")
        order = self._hub.directory.orders.get(message.session_id)
        if order is not None and order.device is self._client and order.task is not None:
            with suppress(ActorStopped, MailboxFull):  # it has just ended, or is told so often enough
                order.task.tell_nowait(Ended(Outcome(status, error=error)))

    @handles
    async def ask_info(self, message: AskDeviceInfo) -> None:
        """Only a constellation asks."""
        await self._line.refuse("device_info_request is for constellations: a device tells, and is asked")

    @handles
    async def query_info(self, message: QueryInfo, reply: Reply[Mapping[str, Any]]) -> None:
        """Ask the device; where it does not answer in time, what it registered with has to do."""
        response_id = self.system.environment.new_id()
        self._queries[response_id] = reply, (patience := trio.CancelScope())
        self.nursery.start_soon(self._query, response_id, patience)

    async def _query(self, response_id: str, patience: trio.CancelScope) -> None:
        """In a task: where the device does not read, the next who asks must not wait for this one."""
        with patience:
            patience.deadline = trio.current_time() + self._hub.info_timeout
            await self._line.send(QueryDeviceInfo(response_id))
            await trio.sleep_forever()
        query = self._queries.pop(response_id, None)
        if query is None:
            return
        reply, _ = query
        if self._client.info is not None:
            reply.send(self._client.info)
        else:
            reply.fail(
                DeviceInfoUnavailable(
                    self._client.id, f"it did not answer within {self._hub.info_timeout:g} s"
                )
            )

    @handles
    async def report_info(self, message: ReportDeviceInfo) -> None:
        """An answer to a query, or pushed."""
        if message.info is not None:
            self._client.info = message.info
        query = self._queries.pop(message.request_id or "", None)
        if query is None:
            return
        reply, patience = query
        patience.cancel()
        if message.info is not None and message.error is None:
            reply.send(message.info)
        else:
            reply.fail(DeviceInfoUnavailable(self._client.id, message.error or "it sent none"))
