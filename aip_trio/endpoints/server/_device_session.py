"""A device on the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from aip_trio.actors import ActorRef, Reply, handles
from aip_trio.endpoints.server._client_session import ClientSession
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._messages import Assign, Ended, Outcome, QueryInfo, Release
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

#: What a device's word on its task comes to.
_ENDS = {
    TaskStatus.COMPLETED: TaskStatus.COMPLETED,
    TaskStatus.OK: TaskStatus.COMPLETED,
    TaskStatus.FAILED: TaskStatus.FAILED,
    TaskStatus.ERROR: TaskStatus.FAILED,
}


class DeviceSession(ClientSession):
    """Takes what a device sends to the task it belongs to: only tasks assigned to this device are known here.

    That is the rule that results and ends count from the assigned device alone (wire/aip.md, 2).
    """

    def __init__(
        self,
        hub: Hub,
        protocol: AIPProtocol,
        register: Register,
        websocket: object,
        tasks: dict[str, ActorRef],
    ) -> None:
        super().__init__(hub, protocol, register, websocket, tasks)
        self._queries: dict[str, Reply[Mapping[str, Any]]] = {}

    @handles
    async def assign(self, message: Assign) -> None:
        """A task that this device does."""
        self._tasks[message.session_id] = message.task

    @handles
    async def release(self, message: Release) -> None:
        """It has ended. (A new one may have its id by now.)"""
        if self._tasks.get(message.session_id) == message.task:
            del self._tasks[message.session_id]

    @handles
    async def results(self, message: CommandResults) -> None:
        """To the task."""
        if not self._forward(message.session_id, message):
            await self._line.refuse(
                f"session_id {message.session_id!r}: no task of this device waits for these results",
                session_id=message.session_id,
            )

    @handles
    async def end_task(self, message: EndTask) -> None:
        """Ends a running task; else it acknowledges our own word that it has ended."""
        status = _ENDS.get(message.status)
        if status is None:
            reason = f"a task_end with status {message.status.value!r} ends nothing: say completed or failed"
            await self._line.refuse(reason, session_id=message.session_id)
            return
        error = message.error or (None if status is TaskStatus.COMPLETED else "ended by the device")
        self._forward(message.session_id, Ended(Outcome(status, error=error)))

    def _forward(self, session_id: str, message: object) -> bool:
        """Without waiting: a task that waits for this device's ear must not wait for its own messages."""
        task = self._tasks.get(session_id)
        if task is None:
            return False
        try:
            task.tell_nowait(message)
        except (ActorStopped, MailboxFull):  # it has just ended; or the device sends what nobody asked for
            return False
        return True

    @handles
    async def ask_info(self, message: AskDeviceInfo) -> None:
        """Only a constellation asks."""
        await self._line.refuse("device_info_request is for constellations: a device tells, and is asked")

    @handles
    async def query_info(self, message: QueryInfo, reply: Reply[Mapping[str, Any]]) -> None:
        """Ask the device; where it does not answer in time, what it registered with has to do."""
        response_id = self.system.environment.new_id()
        self._queries[response_id] = reply
        self.nursery.start_soon(self._expire, response_id)
        await self._line.send(QueryDeviceInfo(response_id))

    async def _expire(self, response_id: str) -> None:
        await trio.sleep(self._hub.info_timeout)
        reply = self._queries.pop(response_id, None)
        if reply is None:
            return
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
        reply = self._queries.pop(message.request_id or "", None)
        if reply is None:
            return
        if message.info is not None and message.error is None:
            reply.send(message.info)
        else:
            reply.fail(DeviceInfoUnavailable(self._client.id, message.error or "it sent none"))
