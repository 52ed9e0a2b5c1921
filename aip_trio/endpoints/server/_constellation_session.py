"""An orchestrator on the server."""

from __future__ import annotations

import trio

from aip_trio.actors import handles
from aip_trio.endpoints.server._client_session import ClientSession
from aip_trio.endpoints.server._directory import Client
from aip_trio.endpoints.server._messages import QueryInfo
from aip_trio.errors import DeviceInfoUnavailable, MessagingError
from aip_trio.messages import AskDeviceInfo, CommandResults, DeviceInfo, EndTask, ReportDeviceInfo, TaskStatus

__all__ = ["ConstellationSession"]

#: Questions about devices that one orchestrator may have open; the next ones wait in its mailbox.
_QUESTIONS = 64


class ConstellationSession(ClientSession):
    """Asks for tasks and about devices; what only a device may send is refused."""

    _asking: trio.CapacityLimiter

    async def started(self) -> None:
        """As every client."""
        self._asking = trio.CapacityLimiter(_QUESTIONS)
        await super().started()

    @handles
    async def ask_info(self, message: AskDeviceInfo) -> None:
        """Answered from a task, since the device may take its time."""
        target = message.target_id or self._register.target_id
        device = self._hub.directory.device(target) if target is not None else None
        if device is None:
            reason = "no target_id" if target is None else f"device {target!r} is not connected"
            await self._line.send(DeviceInfo(message.request_id, status=TaskStatus.ERROR, error=reason))
            return
        ticket = object()
        await self._asking.acquire_on_behalf_of(ticket)
        self.nursery.start_soon(self._ask, device, message.request_id, ticket)

    async def _ask(self, device: Client, request_id: str | None, ticket: object) -> None:
        try:
            try:
                info = await device.session.ask(QueryInfo())
            except DeviceInfoUnavailable as error:
                answer = DeviceInfo(request_id, status=TaskStatus.ERROR, error=str(error))
            except MessagingError:
                reason = f"device {device.id!r} has disconnected"
                answer = DeviceInfo(request_id, status=TaskStatus.ERROR, error=reason)
            else:
                answer = DeviceInfo(request_id, result=dict(info))
            await self._line.send(answer)
        finally:
            self._asking.release_on_behalf_of(ticket)

    @handles
    async def results(self, message: CommandResults) -> None:
        """Only a device has results."""
        await self._refuse_device_message("command_results", message.session_id)

    @handles
    async def end_task(self, message: EndTask) -> None:
        """An acknowledgement of our `task_end` is fine; a running task is the device's to end."""
        if message.session_id in self._hub.directory.orders:
            await self._refuse_device_message("task_end", message.session_id)

    @handles
    async def report_info(self, message: ReportDeviceInfo) -> None:
        """Only a device tells about itself."""
        await self._refuse_device_message("device_info_response", None)

    async def _refuse_device_message(self, what: str, session_id: str | None) -> None:
        await self._line.refuse(f"{what} counts only from the device of the task", session_id=session_id)
