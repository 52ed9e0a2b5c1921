"""The task function that a server has unless it is given another: a list of commands, in order."""

from __future__ import annotations

from typing import Any, cast

import attrs

from aip_trio.endpoints.server._session import Session
from aip_trio.errors import DecodeError, TaskFailed
from aip_trio.messages import Command, ResultStatus, ToolType

__all__ = ["run_listed_commands"]


async def run_listed_commands(session: Session) -> list[dict[str, Any]]:
    """Run the commands of ``metadata["commands"]`` one after another, and return their results.

    Each is ``{"tool_name": …, "parameters": {…}}``; ``tool_type`` and ``call_id`` may be left out. All are
    run; where one fails, the task fails, with all results. A checkpoint.
    """
    commands = _commands(session.metadata.get("commands"))
    results: list[dict[str, Any]] = []
    failed = 0
    for number, command in enumerate(commands, 1):
        (result,) = await session.execute(command)
        failed += result.status is ResultStatus.FAILURE
        session.log(f"{number} of {len(commands)}: {command.tool_name}: {result.status.value}")
        results.append({"tool_name": command.tool_name, **attrs.asdict(result, recurse=False)})
    if failed:
        raise TaskFailed(f"{failed} of {len(commands)} commands failed", results)
    return results  # noqa: ASYNC910 - internal


def _commands(listed: object) -> list[Command]:
    """Raises TaskFailed that names what is wrong."""
    if not isinstance(listed, list) or not listed:
        raise TaskFailed(
            "metadata.commands: list what to do, as"
            ' {"commands": [{"tool_name": "system_info", "parameters": {}}]}'
        )
    commands: list[Command] = []
    for number, item in enumerate(cast("list[object]", listed)):
        if not isinstance(item, dict):
            raise TaskFailed(f"metadata.commands[{number}]: give an object with a tool_name")
        given = cast("dict[str, Any]", item)
        try:
            commands.append(Command.model_validate({"tool_type": ToolType.ACTION.value, **given}))
        except DecodeError as error:
            raise TaskFailed(f"metadata.commands[{number}]: {error}") from None
    return commands
