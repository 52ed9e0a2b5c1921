"""The commands of an RPC service that become tools of a device."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from aip_trio.errors import InvalidSpec
from aip_trio.messages import ToolType
from aip_trio.rpc._command import ApiCommand

__all__ = ["COMMANDS", "BridgeCommand", "all_commands"]


def _integer(_: object, field: attrs.Attribute[int], value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidSpec(f"BridgeCommand.{field.name}", value, "give the command's number")


@attrs.frozen
class BridgeCommand:
    """A command as a tool. Raises InvalidSpec.

    - ``command``: its number; ``custom_command``: which one of those that are USER_DEFINED
    - ``tool_type``: whether it acts or only looks; ``description``: for those who may call it
    - ``always``: it is sent even while the service is silent, instead of failing at once
    """

    command: int = attrs.field(validator=_integer)
    custom_command: int = attrs.field(default=-1, validator=_integer)
    tool_type: ToolType = attrs.field(default=ToolType.ACTION, kw_only=True)
    description: str | None = attrs.field(default=None, kw_only=True)
    always: bool = attrs.field(default=False, kw_only=True)

    @property
    def title(self) -> str:
        """What to call it in a text."""
        name = ApiCommand(self.command).name
        return name if self.custom_command == -1 else f"{name} {self.custom_command}"


#: What every service may be asked, by the names of the tools.
COMMANDS: Mapping[str, BridgeCommand] = MappingProxyType(
    {
        "get_configuration": BridgeCommand(
            ApiCommand.GET_CONFIGURATION,
            tool_type=ToolType.DATA_COLLECTION,
            description="Tell how the device is configured.",
        ),
        "get_status": BridgeCommand(
            ApiCommand.GET_STATUS,
            tool_type=ToolType.DATA_COLLECTION,
            description="Tell what the device is doing right now.",
        ),
        "start_acquisition": BridgeCommand(
            ApiCommand.START_ACQUISITION, description="Have the device start its acquisition."
        ),
        "stop_acquisition": BridgeCommand(
            ApiCommand.STOP_ACQUISITION, description="Have the device stop its acquisition."
        ),
        "emergency_stop": BridgeCommand(
            ApiCommand.EMERGENCY_STOP,
            description="Have the device stop everything at once. Tried even where the device seems silent.",
            always=True,
        ),
        "emergency_resume": BridgeCommand(
            ApiCommand.EMERGENCY_RESUME, description="Have the device go on after an emergency stop."
        ),
    }
)


def all_commands(given: Mapping[str, BridgeCommand | int]) -> dict[str, BridgeCommand]:
    """A program's table of commands; a plain number is that of one that acts. Raises InvalidSpec."""
    return {
        name: each if isinstance(each, BridgeCommand) else BridgeCommand(each) for name, each in given.items()
    }
