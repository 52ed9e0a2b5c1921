"""The tools of a device that stands in a fleet for an RPC service."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
import trio

from aip_trio.endpoints.tools import Tool, ToolFunction, ToolRegistry
from aip_trio.errors import ToolFailed
from aip_trio.errors._base import show
from aip_trio.messages import ToolType
from aip_trio.rpc._command import ApiCommand
from aip_trio.rpc._event import ApiEventKind
from aip_trio.rpc._open_enum import OpenEnum
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc.bridge._commands import BridgeCommand
from aip_trio.rpc.bridge._recent import Recent

__all__ = ["Call", "make_registry"]

#: Sends a command with data on behalf of the tool of this name, and returns what that does.
Call: TypeAlias = Callable[[str, BridgeCommand, object], Awaitable[object]]

M = TypeVar("M", bound=OpenEnum)

#: A number as the enums of the wire carry it.
Number: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

#: Events that one call may ask for: the ring has no more.
_MOST_EVENTS = 1000


def make_registry(
    commands: Mapping[str, BridgeCommand],
    tools: Iterable[ToolFunction | Tool],
    call: Call,
    recent: Recent,
    *,
    any_command: bool,
) -> ToolRegistry:
    """A tool for each command, one for what has happened, and the program's own; ``any_command``: and one for
    any other command.

    Raises InvalidTool for a name that no tool can have, and one that two of them have.
    """
    registry = ToolRegistry(namespace="rpc")
    for name, command in commands.items():
        registry.add(_command_tool(name, command, call))
    if any_command:
        registry.add(_any_command_tool(call))
    registry.add(_recent_events_tool(recent))
    for each in tools:
        registry.add(each)
    return registry


def _command_tool(name: str, command: BridgeCommand, call: Call) -> Tool:
    async def send(data: Any = None) -> Any:
        return await call(name, command, data)

    description = command.description or f"Send the device the command {command.title}."
    # The client has a deadline of its own.
    return Tool(send, name=name, tool_type=command.tool_type, description=description, timeout=math.inf)


def _any_command_tool(call: Call) -> Tool:
    async def send_command(command: Number | str, data: Any = None, custom_command: Number = -1) -> Any:
        """Send the device any command.

        :param command: its number, or its name where it has one, such as USER_DEFINED
        :param data: what the command is to be done with
        :param custom_command: which of the commands that are USER_DEFINED
        """
        wanted = BridgeCommand(_member(ApiCommand, "command", command), custom_command)
        return await call("send_command", wanted, data)

    return Tool(send_command, timeout=math.inf)


def _recent_events_tool(recent: Recent) -> Tool:
    async def recent_events(
        topic: Number | str | None = None,
        kind: Number | str | None = None,
        limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST_EVENTS)] = 50,
    ) -> list[Any]:
        """Tell what the device has published lately, the newest at the end; heartbeats are left out.

        :param topic: on this topic alone, such as EVENT or 4001
        :param kind: events of this kind alone, such as emergencyStop or 101
        :param limit: how many, at most
        """
        await trio.lowlevel.checkpoint()
        wanted = None if topic is None else _member(ApiTopic, "topic", topic)
        what = None if kind is None else _member(ApiEventKind, "kind", kind)
        return [record.data() for record in recent.select(limit, wanted, what)]

    return Tool(recent_events, tool_type=ToolType.DATA_COLLECTION)


def _member(kind: type[M], parameter: str, given: int | str) -> M:
    """What a number or a name stands for; case does not matter. Raises ToolFailed, which lists the names."""
    if isinstance(given, int):
        return kind(given)
    for member in kind:
        if member.name.lower() == given.lower():
            return member
    names = ", ".join(member.name for member in kind)
    raise ToolFailed(f"{parameter}={show(given)} is none: give its number, or one of {names}")
