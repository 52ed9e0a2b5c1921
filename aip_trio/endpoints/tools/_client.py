"""A registry as a device's endpoint sees it."""

import sys
from collections.abc import Sequence
from typing import Any

import attrs
import msgspec
import trio

from aip_trio.endpoints.tools._machine import machine_facts
from aip_trio.endpoints.tools._registry import MAX_RESULT, ToolRegistry
from aip_trio.endpoints.tools._result import failure
from aip_trio.errors import InvalidSpec, ToolTimeout
from aip_trio.messages import Command, Result, RunCommands, ServerMessage

__all__ = ["ToolClient"]

#: Bytes of JSON that the results of one message may have together; a frame takes 100 MiB.
_MAX_RESULTS = 64 * 1024 * 1024


class ToolClient:
    """What a `DeviceClientEndpoint` takes as its ``ufo_client``: it does with tools what a server commands.

    ``platform``: linux, windows or darwin unless given. ``timeout``: seconds for each command whose tool has
    none of its own. ``session_id``: of the task at hand; the endpoint sets it, `reset` forgets it.
    """

    def __init__(
        self, client_id: str, registry: ToolRegistry, *, platform: str | None = None, timeout: float = 60.0
    ) -> None:
        if not timeout > 0:
            raise InvalidSpec("timeout", timeout, "give seconds, more than 0")
        self.client_id = client_id
        self.registry = registry
        self.platform = _own_platform() if platform is None else platform
        self.timeout = timeout
        self.session_id: str | None = None

    def reset(self) -> None:
        """Forget the task at hand."""
        self.session_id = None

    def system_info(self) -> dict[str, Any]:
        """What a registration tells of this device: the machine's facts, and the names of its tools."""
        return {
            "device_id": self.client_id,
            **attrs.asdict(machine_facts()),
            "platform": self.platform,
            "supported_features": [each.name for each in self.registry],
        }

    async def execute_step(self, server_message: ServerMessage | RunCommands) -> list[Result]:
        """Run a message's commands in order: one result for each, whatever became of those before it.

        Never raises an Exception. A checkpoint.
        """
        await trio.lowlevel.checkpoint()
        commands: Sequence[Command] = server_message.actions or ()
        results: list[Result] = []
        room = _MAX_RESULTS
        for command in commands:
            result = await self._run(command, min(room, MAX_RESULT))
            room -= len(msgspec.json.encode(result))
            results.append(result)
        return results

    async def _run(self, command: Command, room: int) -> Result:
        timeout = self.timeout
        if command.tool_name in self.registry:
            own = self.registry[command.tool_name].timeout
            timeout = self.timeout if own is None else own
        with trio.move_on_after(timeout):
            return await self.registry.run(command, max_result=room)
        return failure(command, self.registry.namespace, ToolTimeout(command.tool_name, timeout))


def _own_platform() -> str:
    return {"win32": "windows", "cygwin": "windows"}.get(sys.platform, sys.platform)
