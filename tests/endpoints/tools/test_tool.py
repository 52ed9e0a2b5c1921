import functools
import math
from typing import Any

import attrs
import pytest

from aip_trio.endpoints.tools import Tool, ToolFunction, tool
from aip_trio.errors import InvalidTool
from aip_trio.messages import MCPToolInfo, ToolType
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint


@attrs.frozen
class Sum:
    total: int


@tool
async def add(a: int, b: int = 1) -> Sum:
    """Add two numbers."""
    return Sum(a + b)


async def wait(seconds: float) -> None:
    import trio

    await trio.sleep(seconds)


def test_the_decorated_function_becomes_a_tool_of_its_name() -> None:
    assert isinstance(add, Tool)
    assert (add.name, add.tool_type, add.description, add.timeout) == (
        "add",
        ToolType.ACTION,
        "Add two numbers.",
        None,
    )


@pytest.mark.trio
async def test_a_call_converts_the_parameters_and_returns_the_result() -> None:
    assert await add.call({"a": 1}) == Sum(2)
    assert await add.function(1, b=5) == Sum(6)


def test_the_decorator_takes_options() -> None:
    @tool(name="other.name-2", tool_type=ToolType.DATA_COLLECTION, timeout=2)
    async def nameless() -> None: ...

    assert (nameless.name, nameless.tool_type, nameless.timeout) == (
        "other.name-2",
        ToolType.DATA_COLLECTION,
        2,
    )
    assert nameless.description is None


def test_a_tool_describes_itself() -> None:
    assert add.describe("maths") == MCPToolInfo(
        tool_key="maths.add",
        tool_name="add",
        namespace="maths",
        tool_type="action",
        description="Add two numbers.",
        input_schema=add.input_schema,
        output_schema={
            "title": "Sum",
            "type": "object",
            "properties": {"total": {"type": "integer"}},
            "required": ["total"],
        },
    )
    assert add.input_schema["required"] == ["a"]


@pytest.mark.parametrize("returned", [int, list[int], None, complex, Any, "nowhere"])
def test_a_result_that_is_no_object_has_no_schema(returned: object) -> None:
    async def give() -> Any: ...

    give.__annotations__["return"] = returned
    if returned == "nowhere":
        with pytest.raises(InvalidTool, match="annotations cannot be resolved"):
            Tool(give)
    else:
        assert Tool(give).output_schema is None


def test_a_renamed_tool_is_the_same_under_another_name() -> None:
    renamed = attrs.evolve(add, name="plus")
    assert renamed.function is add.function
    assert renamed.description == add.description
    assert renamed.input_schema["title"] == "plus"


def test_a_partial_function_needs_a_name() -> None:
    partial = functools.partial(add.function, b=2)
    with pytest.raises(InvalidTool, match="give it name="):
        Tool(partial)
    assert set(Tool(partial, name="add_two").input_schema["properties"]) == {"a", "b"}


def not_async() -> None: ...


async def anything() -> None: ...


@pytest.mark.parametrize(
    ("function", "options", "reason"),
    [
        (not_async, {}, "is not async"),
        (print, {}, "is not async"),
        ("text", {"name": "text"}, "is not async"),
        (anything, {"name": ""}, "its name has to be"),
        (anything, {"name": "a b"}, "its name has to be"),
        (anything, {"name": "é"}, "its name has to be"),
        (anything, {"name": "a" * 65}, "its name has to be"),
        (anything, {"name": "a\n"}, "its name has to be"),
        (anything, {"name": 7}, "its name has to be"),
        (anything, {"tool_type": "action"}, "give a ToolType"),
        (anything, {"timeout": 0}, "give seconds, more than 0"),
        (anything, {"timeout": -1.0}, "give seconds, more than 0"),
        (anything, {"timeout": math.nan}, "give seconds, more than 0"),
        (anything, {"timeout": "1"}, "give seconds, more than 0"),
    ],
)
def test_what_cannot_be_a_tool_is_refused(
    function: ToolFunction, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidTool, match=reason):
        Tool(function, **options)


def test_a_call_can_be_cancelled() -> None:
    async def scenario(point: CancelPoint) -> None:
        with point:
            await Tool(wait).call({"seconds": 1})

    assert cancel_at_every_checkpoint(scenario) == 1
