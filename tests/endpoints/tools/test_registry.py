import logging
import math
from typing import Any

import attrs
import pytest
import trio

from aip_trio.endpoints.tools import Tool, ToolRegistry, tool
from aip_trio.errors import (
    InvalidParameters,
    InvalidTool,
    InvalidToolResult,
    ToolFailed,
    UnknownTool,
)
from aip_trio.messages import Codec, Command, Result, ResultStatus, ToolType
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.endpoints.tools.support import command, fail, succeed


@attrs.frozen
class Sum:
    total: int


@tool
async def add(a: int, b: int = 1) -> Sum:
    """Add two numbers."""
    return Sum(a + b)


@tool(tool_type=ToolType.DATA_COLLECTION)
async def look() -> str:
    return "seen"


class BrokenError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def raising(error: BaseException) -> ToolRegistry:
    async def go_wrong() -> None:
        raise error

    return ToolRegistry(Tool(go_wrong))


def returning(value: object) -> ToolRegistry:
    async def give() -> Any:
        return value

    return ToolRegistry(Tool(give))


def test_tools_are_found_by_name_in_the_order_of_their_adding() -> None:
    registry = ToolRegistry(add)
    assert registry.add(look) is look
    assert [each.name for each in registry] == ["add", "look"]
    assert len(registry) == 2
    assert "add" in registry
    assert "sub" not in registry
    assert registry["add"] is add


def test_a_function_is_made_a_tool() -> None:
    async def wave(times: int) -> None: ...

    registry = ToolRegistry()
    made = registry.add(wave, name="wave_hand", tool_type=ToolType.DATA_COLLECTION, timeout=3.0)
    assert made == Tool(wave, name="wave_hand", tool_type=ToolType.DATA_COLLECTION, timeout=3.0)
    assert registry["wave_hand"] is made


def test_a_tool_is_added_under_another_name() -> None:
    registry = ToolRegistry(add)
    assert registry.add(add, name="plus").name == "plus"
    assert {each.name for each in registry} == {"add", "plus"}


def test_a_name_is_given_once() -> None:
    with pytest.raises(InvalidTool, match="has one of that name"):
        ToolRegistry(add, add)


def test_an_unknown_name_is_a_lookup_error_that_tells_the_known_ones() -> None:
    with pytest.raises(UnknownTool, match="no tool 'sub': there are add, look") as raised:
        ToolRegistry(add, look)["sub"]
    assert isinstance(raised.value, LookupError)
    assert raised.value.known == ("add", "look")


def test_the_registry_describes_its_tools_within_its_namespace() -> None:
    infos = ToolRegistry(add, look, namespace="arm").describe()
    assert [info.tool_key for info in infos] == ["arm.add", "arm.look"]
    assert {info.namespace for info in infos} == {"arm"}


@pytest.mark.trio
async def test_a_call_returns_the_result_in_types_of_json() -> None:
    assert await ToolRegistry(add).call("add", {"a": 1}) == {"total": 2}


@pytest.mark.trio
async def test_a_call_raises_what_is_wrong_with_it() -> None:
    registry = ToolRegistry(add)
    with pytest.raises(UnknownTool):
        await registry.call("sub")
    with pytest.raises(InvalidParameters):
        await registry.call("add")
    with pytest.raises(ZeroDivisionError):
        await raising(ZeroDivisionError()).call("go_wrong")
    with pytest.raises(InvalidToolResult):
        await returning(object()).call("give")


@pytest.mark.trio
async def test_a_command_that_succeeds_has_a_result() -> None:
    registry = ToolRegistry(add, namespace="arm")
    assert await registry.run(command(registry, "add", a=1)) == Result(
        status=ResultStatus.SUCCESS, result={"total": 2}, namespace="arm", call_id="call of add"
    )


@pytest.mark.trio
async def test_a_command_without_parameters_is_as_one_with_none() -> None:
    registry = ToolRegistry(look)
    bare = Command(tool_name="look", tool_type=ToolType.DATA_COLLECTION)
    assert (await registry.run(bare)).result == "seen"


@pytest.mark.trio
async def test_a_command_that_fails_says_why_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    registry = ToolRegistry(add, look, namespace="arm")
    unknown = await registry.run(command(registry, "sub"))
    assert unknown == Result(
        status=ResultStatus.FAILURE,
        error="no tool 'sub': there are add, look",
        namespace="arm",
        call_id="call of sub",
    )
    assert await fail(registry, "add", a="1", c=2) == (
        "tool 'add' cannot take these parameters: Expected `int`, got `str` @ $.a;"
        " is not a parameter; there are a, b @ $.c"
    )
    assert await fail(raising(ToolFailed("the door\nis locked")), "go_wrong") == "the door is locked"
    assert not caplog.records  # none of these is a bug here


@pytest.mark.trio
async def test_who_asks_for_data_never_gets_an_action() -> None:
    registry = ToolRegistry(add, look)
    asked = Command(tool_name="add", tool_type=ToolType.DATA_COLLECTION, parameters={"a": 1})
    result = await registry.run(asked)
    assert result.error == "tool 'add' is of tool_type='action', not 'data_collection': ask for that"
    harmless = Command(tool_name="look", tool_type=ToolType.ACTION)
    assert (await registry.run(harmless)).result == "seen"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("one\ntwo"), "ValueError: one two"),
        (KeyError(), "KeyError"),
        (BrokenError(), "BrokenError: its text raises RuntimeError"),
        (trio.TooSlowError(), "TooSlowError"),
        (
            ExceptionGroup("g", [ValueError("a"), ExceptionGroup("h", [OSError(5, "b")])]),
            "ValueError: a; OSError: [Errno 5] b",
        ),
        (RecursionError("deep"), "RecursionError: deep"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
@pytest.mark.trio
async def test_a_tools_bug_fails_its_command_and_is_logged(
    error: Exception, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await fail(raising(error), "go_wrong") == text
    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.ERROR, "aip_trio.endpoints")
    assert record.exc_info is not None
    assert record.exc_info[1] is error


@pytest.mark.trio
async def test_a_group_of_a_tools_own_refusals_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    error = ExceptionGroup("g", [ToolFailed("no door"), ToolFailed("no key")])
    assert await fail(raising(error), "go_wrong") == "no door; no key"
    assert not caplog.records


@pytest.mark.trio
async def test_a_tool_that_fails_may_have_a_result_all_the_same() -> None:
    registry = raising(ToolFailed("2 of 3 wells are dry", {"wells": (1, 2)}))
    result = await registry.run(command(registry, "go_wrong"))
    assert (result.status, result.error) == (ResultStatus.FAILURE, "2 of 3 wells are dry")
    assert result.result == {"wells": [1, 2]}
    for unfit in (object(), "x" * 100):
        registry = raising(ToolFailed("dry", unfit))
        result = await registry.run(command(registry, "go_wrong"), max_result=50)
        assert (result.status, result.result) == (ResultStatus.FAILURE, None)
        assert str(result.error).startswith("dry; tool 'go_wrong' has run, but its result cannot be sent: ")


@pytest.mark.trio
async def test_a_long_error_is_cut() -> None:
    error = await fail(raising(ToolFailed("x" * 100_000)), "go_wrong")
    assert len(error) == 500


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()], ids=lambda error: type(error).__name__)
@pytest.mark.trio
async def test_what_is_to_end_the_program_is_not_a_result(error: BaseException) -> None:
    registry = raising(error)
    with pytest.raises(type(error)):
        await registry.run(command(registry, "go_wrong"))


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (None, None),
        ({1, 2}, [1, 2]),
        (b"abc", "YWJj"),
        ({1: (2, math.nan)}, {"1": [2, None]}),
        (ToolType.ACTION, "action"),
        ([Sum(1)], [{"total": 1}]),
        (2**70, 2**70),
    ],
)
@pytest.mark.trio
async def test_a_result_is_told_in_types_of_json(value: object, json: object) -> None:
    result = await succeed(returning(value), "give")
    assert result == json
    assert type(result) is type(json)


def cyclic() -> list[object]:
    cycle: list[object] = []
    cycle.append(cycle)
    return cycle


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "object: Encoding objects of type object is unsupported"),
        ({"a": 1j}, "dict: Encoding objects of type complex is unsupported"),
        ({(1, 2): 3}, "dict: Only dicts with str-like or number-like keys are supported"),
        ("\ud800", "str: 'utf-8' codec can't encode character"),
        (cyclic(), "list: maximum recursion depth exceeded"),
        ("x" * 17_000_000, "it has 17000002 bytes of JSON, and there is room for 16777216"),
    ],
    ids=["object", "complex", "keys", "surrogate", "cycle", "large"],
)
@pytest.mark.trio
async def test_a_result_without_a_form_in_json_is_a_failure_that_names_its_type(
    value: object, reason: str
) -> None:
    error = await fail(returning(value), "give")
    assert error.startswith(f"tool 'give' has run, but its result cannot be sent: {reason}")


@pytest.mark.trio
async def test_every_result_can_be_encoded() -> None:
    codec = Codec(Result)
    registry = returning({"a": [Sum(1), b"x", {3}, math.inf]})
    result = await registry.run(command(registry, "give"))
    assert codec.decode(codec.encode(result), Result) == result


def test_a_cancelled_command_has_no_result() -> None:
    @tool
    async def wait() -> None:
        await trio.sleep(1)

    registry = ToolRegistry(wait)

    async def run(point: CancelPoint) -> None:
        with point:
            await registry.run(command(registry, "wait"))

    async def call(point: CancelPoint) -> None:
        with point:
            await registry.call("wait")

    assert cancel_at_every_checkpoint(run) == 2
    assert cancel_at_every_checkpoint(call) == 2


@pytest.mark.trio
async def test_even_a_refusal_is_a_checkpoint() -> None:
    registry = ToolRegistry()
    with trio.testing.assert_checkpoints():
        await registry.run(command(registry, "nothing"))
    with trio.testing.assert_checkpoints(), pytest.raises(UnknownTool):
        await registry.call("nothing")
