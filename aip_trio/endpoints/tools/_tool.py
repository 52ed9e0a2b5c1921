"""One tool: an async function that peers may call by its name."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, overload

import attrs

from aip_trio.endpoints.tools._docstring import Docstring
from aip_trio.endpoints.tools._parameters import Parameters, schema_of
from aip_trio.errors import InvalidTool
from aip_trio.messages import MCPToolInfo, ToolType

__all__ = ["Tool", "ToolFunction", "tool"]

ToolFunction: TypeAlias = Callable[..., Awaitable[object]]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def _own_name(tool: "Tool") -> str:
    return getattr(tool.function, "__name__", repr(tool.function))


def _own_description(tool: "Tool") -> str | None:
    return Docstring.of(tool.function).description


def _own_parameters(tool: "Tool") -> Parameters:
    _check(tool)  # the first that looks into the function
    return Parameters.of(tool.function, tool.name, Docstring.of(tool.function))


def _own_output_schema(tool: "Tool") -> dict[str, Any] | None:
    """The schema of the result where that is an object, which is all that MCP knows."""
    try:
        schema = schema_of(inspect.signature(tool.function, eval_str=True).return_annotation)
    except Exception:  # noqa: BLE001 - a type without a schema is no fault: what it is shows in the results
        return None
    return schema if schema.get("type") == "object" else None


def _check(tool: "Tool") -> None:
    name, timeout = tool.name, tool.timeout
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidTool(str(name), "its name has to be 1 to 64 of A-Z a-z 0-9 _ . -: give it name=")
    if not inspect.iscoroutinefunction(tool.function):
        raise InvalidTool(name, "is not async: write it with `async def`")
    if not isinstance(tool.tool_type, ToolType):
        raise InvalidTool(name, f"tool_type={tool.tool_type!r} is none: give a ToolType")
    if timeout is not None and not (isinstance(timeout, (int, float)) and timeout > 0):
        raise InvalidTool(name, f"timeout={timeout!r} is no time: give seconds, more than 0")


@attrs.frozen
class Tool:
    """An async function with a name, a kind, and JSON schemas of what it takes and returns.

    The schemas come from the annotations, the descriptions from the docstring: what stands before its
    first field, and each ``:param name:``. Every parameter is annotated with a type that has a JSON
    schema (scalars, enums, literals, containers, dataclasses, attrs classes, ``Annotated`` with
    ``msgspec.Meta`` for bounds) and can be given by name.

    ``timeout``: seconds that one call may take, in place of what the caller of tools allows; infinite for a
    tool that has an end of its own.

    Raises InvalidTool, a TypeError, for a function that cannot be one.
    """

    function: ToolFunction
    name: str = attrs.field(kw_only=True, default=attrs.Factory(_own_name, takes_self=True))
    tool_type: ToolType = attrs.field(kw_only=True, default=ToolType.ACTION)
    description: str | None = attrs.field(
        kw_only=True, default=attrs.Factory(_own_description, takes_self=True)
    )
    timeout: float | None = attrs.field(kw_only=True, default=None)
    parameters: Parameters = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(_own_parameters, takes_self=True)
    )
    output_schema: dict[str, Any] | None = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(_own_output_schema, takes_self=True)
    )

    @property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of the parameters."""
        return self.parameters.schema

    def describe(self, namespace: str) -> MCPToolInfo:
        """What is told of it to those who may call it."""
        return MCPToolInfo(
            tool_key=f"{namespace}.{self.name}",
            tool_name=self.name,
            namespace=namespace,
            tool_type=self.tool_type.value,
            description=self.description,
            input_schema=self.input_schema,
            output_schema=self.output_schema,
        )

    async def call(self, parameters: Mapping[str, object] | None = None) -> object:
        """Call the function with these parameters, as they came over the wire, and return its result.

        Raises InvalidParameters before the function is called, and whatever the function raises. A checkpoint
        where the function is one.
        """
        return await self.function(**self.parameters.convert(parameters or {}))


@overload
def tool(function: ToolFunction, /) -> Tool: ...
@overload
def tool(
    *, name: str | None = None, tool_type: ToolType = ToolType.ACTION, timeout: float | None = None
) -> Callable[[ToolFunction], Tool]: ...
def tool(
    function: ToolFunction | None = None,
    /,
    *,
    name: str | None = None,
    tool_type: ToolType = ToolType.ACTION,
    timeout: float | None = None,
) -> Tool | Callable[[ToolFunction], Tool]:
    """Make a `Tool` of an async function: ``@tool``, or ``@tool(tool_type=ToolType.DATA_COLLECTION)``.

    The tool takes the function's place; the function itself is its ``function``.
    """

    def make(function: ToolFunction) -> Tool:
        if name is None:
            return Tool(function, tool_type=tool_type, timeout=timeout)
        return Tool(function, name=name, tool_type=tool_type, timeout=timeout)

    return make if function is None else make(function)
