import enum
import json
import math
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import attrs
import pytest
from hypothesis import given, strategies as st
from msgspec import Meta

from aip_trio.endpoints.tools import Tool
from aip_trio.endpoints.tools._docstring import Docstring
from aip_trio.endpoints.tools._parameters import Parameters
from aip_trio.errors import InvalidParameters, InvalidTool


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen
class Point:
    x: float
    y: float = 0.0


@attrs.frozen
class Tree:
    children: "list[Tree]"


async def draw(
    name: str,
    points: list[Point],
    colour: Colour = Colour.RED,
    width: Annotated[int, Meta(ge=1, le=9)] = 1,
    style: Literal["solid", "dashed"] = "solid",
    tags: tuple[str, ...] = (),
    scale: float = math.inf,
    options: dict[str, Any] | None = None,
) -> None:
    """Draw a line.

    :param width: in pixels
    """


def parameters_of(function: Callable[..., Awaitable[object]]) -> Parameters:
    return Parameters.of(function, "draw", Docstring.of(function))


def faults_of(given: dict[str, object]) -> tuple[str, ...]:
    with pytest.raises(InvalidParameters) as raised:
        parameters_of(draw).convert(given)
    assert raised.value.tool == "draw"
    return raised.value.faults


def test_the_schema_comes_from_the_annotations_defaults_and_docstring() -> None:
    schema = parameters_of(draw).schema
    assert schema["type"] == "object"
    assert schema["required"] == ["name", "points"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["name"] == {"type": "string"}
    assert properties["points"] == {"type": "array", "items": {"$ref": "#/$defs/Point"}}
    assert properties["colour"] == {"$ref": "#/$defs/Colour", "default": "red"}
    assert properties["width"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 1,
        "description": "in pixels",
    }
    assert properties["style"] == {"enum": ["dashed", "solid"], "default": "solid"}
    assert properties["tags"]["default"] == []
    assert schema["$defs"]["Colour"]["enum"] == ["blue", "red"]
    assert schema["$defs"]["Point"]["required"] == ["x"]


def test_the_schema_is_json_even_where_a_default_is_not() -> None:
    schema = parameters_of(draw).schema
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema


def test_what_is_given_becomes_what_the_annotations_say() -> None:
    converted = parameters_of(draw).convert(
        {"name": "a", "points": [{"x": 1}], "colour": "blue", "tags": ["t"], "options": {"k": [1]}}
    )
    assert converted == {
        "name": "a",
        "points": [Point(1.0)],
        "colour": Colour.BLUE,
        "tags": ("t",),
        "options": {"k": [1]},
    }


def test_what_is_not_given_is_left_to_the_function() -> None:
    assert set(parameters_of(draw).convert({"name": "a", "points": []})) == {"name", "points"}


def test_every_faulty_parameter_is_named() -> None:
    assert faults_of({"points": [{"x": "1"}], "width": 10, "colour": "green", "with": 1}) == (
        "Expected `float`, got `str` @ $.points[0].x",
        "Expected `int` <= 9 @ $.width",
        "Invalid enum value 'green' @ $.colour",
        "is not a parameter; there are name, points, colour, width, style, tags, scale, options @ $.with",
        "is required @ $.name",
    )


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("name", 1),
        ("name", None),
        ("width", "1"),
        ("width", True),
        ("width", 1.5),
        ("points", {}),
        ("scale", "1"),
    ],
)
def test_a_value_of_another_type_is_not_made_to_fit(parameter: str, value: object) -> None:
    (fault,) = faults_of({"name": "a", "points": [], parameter: value})
    assert fault.startswith("Expected ")
    assert fault.endswith(f"@ $.{parameter}")


def test_a_whole_number_does_for_a_float() -> None:
    assert parameters_of(draw).convert({"name": "a", "points": [], "scale": 2})["scale"] == 2.0


def test_a_name_that_is_no_string_is_a_fault() -> None:
    parameters = parameters_of(draw)
    with pytest.raises(InvalidParameters):
        parameters.convert({1: 2})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]


def test_many_and_long_faults_are_cut() -> None:
    faults = faults_of({f"{number}{'x' * 1000}": 1 for number in range(1000)})
    assert len(faults) == 11
    assert faults[-1] == "and 992 more"
    assert all(len(fault) <= 200 for fault in faults)


def test_what_is_nested_too_deep_is_a_fault() -> None:
    async def grow(tree: Tree) -> None: ...

    deep: dict[str, list[object]] = {"children": []}
    for _ in range(100_000):
        deep = {"children": [deep]}
    with pytest.raises(InvalidParameters) as raised:
        parameters_of(grow).convert({"tree": deep})
    assert raised.value.faults == ("is nested too deep @ $",)


async def not_annotated(x: int) -> None: ...


del not_annotated.__annotations__["x"]


async def any_number(*x: int) -> None: ...


async def any_name(**x: int) -> None: ...


async def positional(x: int, /) -> None: ...


async def without_schema(x: complex) -> None: ...


async def untagged(x: Point | Tree) -> None: ...


async def no_type(x: int) -> None: ...


no_type.__annotations__["x"] = "nowhere.Found"


async def strange_default(x: Any = object()) -> None: ...  # noqa: B008 - what is tested


async def misdocumented(x: int) -> None:
    """Do.

    :param y: why
    """


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (not_annotated, "parameter 'x' has no annotation: say what type it takes"),
        (any_number, "takes *x: int: give each parameter a name and a type"),
        (any_name, "takes **x: int: give each parameter a name and a type"),
        (positional, "parameter 'x' is positional only: parameters are given by name"),
        (without_schema, "its parameters have no JSON schema: "),
        (untagged, "its parameters have no JSON schema: "),
        (no_type, "its annotations cannot be resolved (name 'nowhere' is not defined): use types that"),
        (strange_default, "its parameters have no JSON schema: "),
        (misdocumented, "its docstring has a :param y: that it does not take: drop it"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_function_that_json_cannot_call_is_refused(
    function: Callable[..., Awaitable[object]], reason: str
) -> None:
    with pytest.raises(InvalidTool) as raised:
        parameters_of(function)
    assert raised.value.tool == "draw"
    assert raised.value.reason.startswith(reason)


def test_a_function_without_parameters_takes_an_empty_object() -> None:
    async def nothing() -> None: ...

    parameters = parameters_of(nothing)
    assert parameters.convert({}) == {}
    assert parameters.schema["properties"] == {}
    with pytest.raises(InvalidParameters, match="there are none"):
        parameters.convert({"x": 1})


def test_a_method_is_taken_without_its_self() -> None:
    class Robot:
        async def move(self, x: int) -> None: ...

    assert parameters_of(Robot().move).convert({"x": 1}) == {"x": 1}


def test_a_default_that_can_change_is_left_to_the_function() -> None:
    async def collect(names: list[str] = ["a"]) -> None: ...  # noqa: B006 - what is tested

    parameters = parameters_of(collect)
    assert parameters.convert({}) == {}
    assert parameters.schema["required"] == []


def test_a_type_of_the_same_name_as_the_tool_keeps_its_own_schema() -> None:
    async def point(here: Point) -> None: ...

    schema = Parameters.of(point, "Point", Docstring.of(point)).schema
    (name,) = schema["$defs"]
    assert schema["properties"]["here"] == {"$ref": f"#/$defs/{name}"}
    assert schema["$defs"][name]["required"] == ["x"]


TEXT = st.text("xy é`@\0", max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["name", "points", "colour", "width", "style", "tags", "scale", "options", "other"])


@given(st.dictionaries(NAMES, JSON))
def test_whatever_is_given_is_converted_or_its_faults_are_named(given: dict[str, object]) -> None:
    try:
        converted = parameters_of(draw).convert(given)
    except InvalidParameters as error:
        unnamed = [fault for fault in error.faults if " @ $" not in fault]
        found = len(error.faults)
    else:
        unnamed, found = [], len(converted)
    assert not unnamed
    assert found


def test_a_refusal_of_one_tool_names_that_tool() -> None:
    with pytest.raises(InvalidParameters, match="tool 'paint' cannot take these parameters: is required @"):
        Tool(draw, name="paint").parameters.convert({})
