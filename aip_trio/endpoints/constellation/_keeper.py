"""The actor that keeps an orchestrator's roster."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial

import attrs

from aip_trio.actors import Actor, handles
from aip_trio.endpoints._hooks import Hooks
from aip_trio.endpoints._tasks import end_of
from aip_trio.endpoints.connection import LineDown, LineUp
from aip_trio.endpoints.constellation._roster import Roster
from aip_trio.messages import DeviceInfo, TaskEnded

__all__ = ["GaveUp", "Keeper", "Watcher"]

logger = logging.getLogger("aip_trio.endpoints")


@attrs.frozen
class GaveUp:
    """To the keeper: this device's connection has been lost too often."""

    device_id: str


@attrs.frozen
class Watcher:
    """Who is told of devices: the endpoint, at once; and the program's hook, which may take its time."""

    came: Callable[[str], None]
    went: Callable[[str], None]
    hook: Callable[[str], Awaitable[None]]


class Keeper(Actor):
    """Named ``roster`` in the tree: settles what is waited for, and tells the endpoint of its devices."""

    def __init__(self, roster: Roster, watcher: Watcher) -> None:
        self._roster = roster
        self._watcher = watcher

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """Have a place for the hook's calls."""
        self._hooks = Hooks(self.nursery, self.path)

    @handles
    async def up(self, message: LineUp) -> None:
        """A connection for a device."""
        device_id = message.line.target_id
        assert device_id is not None
        self._roster.up(device_id, message.line)
        self._watcher.came(device_id)

    @handles
    async def down(self, message: LineDown) -> None:
        """Lost: on this link its tasks end with it (wire/aip.md, 7)."""
        device_id = message.line.target_id
        assert device_id is not None
        if self._roster.down(device_id, message.line):
            self._roster.fail_tasks(device_id, "device_disconnected")
            self._watcher.went(device_id)
            self._hooks.call(device_id, partial(self._watcher.hook, device_id))

    @handles
    async def gave_up(self, message: GaveUp) -> None:
        """It is lost for good, unless it is connected to anew."""
        self._roster.give_up(message.device_id)

    @handles
    async def task_ended(self, message: TaskEnded) -> None:
        """To whoever waits for it; late ones are for the log."""
        status = end_of(message.status)
        if status is None:
            logger.warning(
                "task %s: the server sent a task_end of status %r", message.session_id, message.status.value
            )
            return
        message = attrs.evolve(message, status=status)
        if message.response_id in self._roster.late:
            del self._roster.late[message.response_id]
            logger.info("task %s has ended, and nobody waits for it", message.session_id)
            return  # another one may have its session_id by now
        pending = self._roster.tasks.get(message.session_id)
        if pending is not None:
            pending.settle(message)
        else:
            logger.info("task %s has ended, and nobody waits for it", message.session_id)

    @handles
    async def info_came(self, message: DeviceInfo) -> None:
        """To whoever asked."""
        pending = self._roster.questions.get(message.response_id or "")
        if pending is not None:
            pending.settle(message)
