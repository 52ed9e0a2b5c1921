"""The tools of a device."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import trio

from aip_trio.endpoints.tools._result import failure, to_json
from aip_trio.endpoints.tools._tool import Tool, ToolFunction
from aip_trio.errors import InvalidTool, UnknownTool, WrongToolType
from aip_trio.messages import Command, MCPToolInfo, Result, ResultStatus, ToolType

__all__ = ["MAX_RESULT", "ToolRegistry"]

#: Bytes of JSON that one result may have. A message holds several, and a frame 100 MiB.
MAX_RESULT = 16 * 1024 * 1024


class ToolRegistry:
    """Tools by their names, called with what came over the wire.

    ``namespace`` stands before each tool's name where tools of several registries meet.
    """

    def __init__(self, *tools: Tool, namespace: str = "device") -> None:
        self.namespace = namespace
        self._tools: dict[str, Tool] = {}
        for each in tools:
            self.add(each)

    def add(
        self,
        function: ToolFunction | Tool,
        /,
        *,
        name: str | None = None,
        tool_type: ToolType | None = None,
        timeout: float | None = None,
    ) -> Tool:
        """Add an async function, or a `Tool`, under its own name or the one given.

        Raises InvalidTool for a function that cannot be a tool, and for a name that is taken.
        """
        given = {"name": name, "tool_type": tool_type, "timeout": timeout}
        options: dict[str, Any] = {option: value for option, value in given.items() if value is not None}
        if not isinstance(function, Tool):
            made = Tool(function, **options)
        else:
            made = attrs.evolve(function, **options) if options else function
        if made.name in self._tools:
            raise InvalidTool(made.name, "the registry has one of that name: give it another with name=")
        self._tools[made.name] = made
        return made

    def __getitem__(self, name: str) -> Tool:
        try:
            return self._tools[name]
        except KeyError:
            raise UnknownTool(name, tuple(self._tools)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def describe(self) -> list[MCPToolInfo]:
        """What is told of each to those who may call it."""
        return [each.describe(self.namespace) for each in self]

    async def call(
        self, name: str, parameters: Mapping[str, object] | None = None, *, max_result: int = MAX_RESULT
    ) -> Any:
        """Call a tool and return its result in JSON's own types. A checkpoint.

        Raises UnknownTool and InvalidParameters before anything is done, what the tool raises, and
        InvalidToolResult for a result that has no form in JSON, or one of more than ``max_result`` bytes.
        """
        await trio.lowlevel.checkpoint()
        return await self._call(self[name], parameters, max_result)

    async def run(self, command: Command, *, max_result: int = MAX_RESULT) -> Result:
        """Do as a command says. A checkpoint.

        Never raises an Exception: what goes wrong is a result of status ``failure`` with one line of text.
        An exception that is no `ToolError` is a bug of the tool's, and logged with its traceback.
        """
        await trio.lowlevel.checkpoint()
        try:
            tool = self[command.tool_name]
            # who believes that a command only looks must not change things by it; the other way is harmless
            if command.tool_type is ToolType.DATA_COLLECTION and tool.tool_type is ToolType.ACTION:
                raise WrongToolType(tool.name, tool.tool_type.value, str(command.tool_type))
            result = await self._call(tool, command.parameters, max_result)
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails this command and no other
            return failure(command, self.namespace, error, max_result)
        return Result(
            status=ResultStatus.SUCCESS, result=result, namespace=self.namespace, call_id=command.call_id
        )

    async def _call(self, tool: Tool, parameters: Mapping[str, object] | None, max_result: int) -> Any:
        return to_json(tool.name, await tool.call(parameters), max_result)
