"""What a device is to do, and what came of it."""

from typing import Any

import attrs

from aip_trio.messages._enums import ResultStatus, ToolType
from aip_trio.messages._model import WireModel

__all__ = ["Command", "MCPToolInfo", "Result"]


@attrs.frozen(kw_only=True)
class Command(WireModel):
    """A call of one of a device's tools."""

    tool_name: str
    parameters: dict[str, Any] | None = None
    tool_type: ToolType
    call_id: str | None = None


@attrs.frozen(kw_only=True)
class Result(WireModel):
    """What came of a `Command`; ``result`` is any JSON value."""

    status: ResultStatus
    error: str | None = None
    result: Any = None
    namespace: str | None = None
    call_id: str | None = None


@attrs.frozen(kw_only=True)
class MCPToolInfo(WireModel):
    """A tool as a device describes it; the schemas are JSON Schema."""

    tool_key: str
    tool_name: str
    title: str | None = None
    namespace: str
    tool_type: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None
    annotations: dict[str, Any] | None = None
