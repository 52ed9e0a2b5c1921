"""Which devices an orchestrator has, and what it waits for: a table, without I/O."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import trio

from aip_trio.endpoints._profile import AgentProfile
from aip_trio.endpoints.connection import ClientLine
from aip_trio.errors import DeviceNotConnected, SessionTaken
from aip_trio.messages import DeviceInfo, TaskEnded, TaskStatus

__all__ = ["Pending", "Roster"]


@attrs.define(eq=False)
class Pending:
    """Something that a device was asked for, and whose answer is awaited by one task."""

    device_id: str
    on_log: Callable[[str], object] | None = None
    #: of the task message; a server of ours names it in the task's end
    request_id: str | None = None
    #: what people are told of it: complete at its end
    log: list[str] = attrs.field(factory=list[str])
    answer: TaskEnded | DeviceInfo | None = None
    _arrived: trio.Event = attrs.field(init=False, factory=trio.Event)

    def settle(self, answer: TaskEnded | DeviceInfo) -> None:
        """The first answer stands."""
        if self.answer is None:
            self.answer = answer
            self._arrived.set()

    async def wait(self) -> None:
        """Until there is an answer. A checkpoint."""
        await self._arrived.wait()


@attrs.define(eq=False)
class Roster:
    """Kept by the actor of that name; the endpoint reads it. Outlives connections."""

    profiles: dict[str, AgentProfile] = attrs.field(init=False, factory=dict[str, AgentProfile])
    lines: dict[str, ClientLine] = attrs.field(init=False, factory=dict[str, ClientLine])
    #: by session_id
    tasks: dict[str, Pending] = attrs.field(init=False, factory=dict[str, Pending])
    #: by request_id, the device: tasks that nobody waits for any more, and whose end may yet come
    late: dict[str, str] = attrs.field(init=False, factory=dict[str, str])
    #: by request_id
    questions: dict[str, Pending] = attrs.field(init=False, factory=dict[str, Pending])

    def line(self, device_id: str) -> ClientLine:
        """The way to a device. Raises DeviceNotConnected."""
        line = self.lines.get(device_id)
        if line is None:
            raise DeviceNotConnected(device_id)
        return line

    def up(self, device_id: str, line: ClientLine) -> None:
        """There is a connection for it."""
        self.lines[device_id] = line
        profile = self.profiles.get(device_id)
        if profile is not None:
            profile.status = "connected"
            profile.connection_attempts = 0

    def down(self, device_id: str, line: ClientLine) -> bool:
        """That connection has gone. False: a later one is up already."""
        if self.lines.get(device_id) is not line:
            return False
        del self.lines[device_id]
        self.late = {request: device for request, device in self.late.items() if device != device_id}
        profile = self.profiles.get(device_id)
        if profile is not None:
            profile.status = "disconnected"
        return True

    def give_up(self, device_id: str) -> None:
        """Its connection will not come back by itself."""
        profile = self.profiles.get(device_id)
        if profile is not None:
            profile.status = "failed"

    def expect_task(
        self,
        session_id: str,
        device_id: str,
        on_log: Callable[[str], object] | None = None,
        request_id: str | None = None,
    ) -> Pending:
        """A task is about to be asked for. Raises SessionTaken."""
        if session_id in self.tasks:
            raise SessionTaken(session_id)
        pending = self.tasks[session_id] = Pending(device_id, on_log, request_id)
        profile = self.profiles.get(device_id)
        if profile is not None:
            profile.current_task_id = session_id
        return pending

    def forget_task(self, session_id: str) -> None:
        """Nobody waits for it any more."""
        pending = self.tasks.pop(session_id)
        if pending.request_id is not None and pending.answer is None and pending.device_id in self.lines:
            self.late[pending.request_id] = pending.device_id
        profile = self.profiles.get(pending.device_id)
        if profile is not None and profile.current_task_id == session_id:
            profile.current_task_id = None

    def expect_answer(self, request_id: str, device_id: str) -> Pending:
        """A device is about to be asked about itself."""
        pending = self.questions[request_id] = Pending(device_id)
        return pending

    def forget_answer(self, request_id: str) -> None:
        """Nobody waits for it any more."""
        del self.questions[request_id]

    def fail_tasks(self, device_id: str, reason: str) -> list[str]:
        """End all that a device has to do as failed: their ids."""
        ended: list[str] = []
        for session_id, pending in self.tasks.items():
            if pending.device_id == device_id and pending.answer is None:
                pending.settle(TaskEnded(session_id, TaskStatus.FAILED, error=reason))
                ended.append(session_id)
        for request_id, pending in self.questions.items():
            if pending.device_id == device_id:
                pending.settle(DeviceInfo(request_id, status=TaskStatus.ERROR, error=reason))
        return ended

    def log(self, session_id: str | None, lines: list[str], *, complete: bool) -> None:
        """Lines for people, about a task: those since the last ones, or, at its end, all of them."""
        pending = self.tasks.get(session_id or "")
        if pending is None:
            return
        new = lines[len(pending.log) :] if complete else lines
        pending.log.extend(new)
        if pending.on_log is not None:
            for line in new:
                pending.on_log(line)
