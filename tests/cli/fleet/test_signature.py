from typing import Annotated, Literal

import msgspec
import pytest

from aip_trio.cli.fleet._signature import signature
from aip_trio.endpoints.tools import Tool


async def example(
    path: str,
    count: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3,
    share: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5,
    kind: Literal["a", "b"] | None = None,
    names: tuple[str, ...] = (),
    table: dict[str, int] | None = None,
) -> None:
    """Does nothing."""


def test_each_parameter_has_its_type_and_default() -> None:
    assert list(signature(Tool(example).input_schema)) == [
        "path: string",
        "count: integer ≥ 1 ≤ 9 = 3",
        "share: number > 0 < 1 = 0.5",
        'kind: "a" | "b" | null = null',
        "names: array of string = []",
        "table: object | null = null",
    ]


@pytest.mark.parametrize("schema", [{}, {"properties": {}}])
def test_no_parameters(schema: dict[str, object]) -> None:
    assert list(signature(schema)) == []


def test_a_type_without_a_schema_is_any() -> None:
    assert list(signature({"properties": {"x": {}}})) == ["x: any"]
