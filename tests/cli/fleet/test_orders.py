import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aip_trio.cli.fleet._orders import Order, read_commands, read_metadata, read_order
from aip_trio.errors import InvalidOption

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
TOOLS = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True).filter(str.isascii)


@given(TOOLS, st.dictionaries(st.text(), VALUES, max_size=3), st.sampled_from(["", " ", "\n\t "]))
def test_what_was_written_is_read(tool: str, parameters: dict[str, Any], space: str) -> None:
    text = f"{space}{tool}{space}{json.dumps(parameters)}{space}"
    assert read_commands([text]) == [{"tool_name": tool, "parameters": parameters}]


def test_parameters_may_be_left_out() -> None:
    assert read_commands(["list_files", " live_load "]) == [
        {"tool_name": "list_files", "parameters": {}},
        {"tool_name": "live_load", "parameters": {}},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "{}",
        "two words",
        'list_files {"path": "."} more',
        "list_files [1]",
        "list_files 3",
        "list_files null",
        "lïst_files",
        "a" * 65,
        'a/b {"path": "."}',
    ],
)
def test_what_is_no_command_is_named_with_an_example(text: str) -> None:
    with pytest.raises(InvalidOption) as raised:
        read_commands(["live_load", text])
    assert str(raised.value).startswith(f"command={text!r} is no command: ")
    assert """such as 'list_files {"path": "."}'""" in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "tool {path: 1}",
        "tool {'path': 1}",
        'tool {"a": NaN}',
        'tool {"a": 1}}',
        "tool {" + '"a": [' * 2000 + "}",
    ],
)
def test_what_is_no_json_is_named(text: str) -> None:
    with pytest.raises(InvalidOption, match="has parameters that are no JSON"):
        read_commands([text])


def test_a_task_is_commands_metadata_or_words() -> None:
    listed: list[dict[str, Any]] = [{"tool_name": "live_load", "parameters": {}}]
    assert read_order(["live_load"], None, None) == Order("live_load", {"commands": listed})
    assert read_order(["live_load"], '{"a": 1}', "look") == Order("look", {"a": 1, "commands": listed})
    assert read_order([], json.dumps({"commands": listed}), None).request == "live_load"
    assert read_order([], '{"commands": [3, {}]}', None) == Order("a task", {"commands": [3, {}]})
    assert read_order([], None, "measure") == Order("measure", {})


def test_commands_are_listed_once() -> None:
    with pytest.raises(InvalidOption, match="has a rival"):
        read_order(["live_load"], '{"commands": []}', None)


@given(st.dictionaries(st.text(), VALUES, max_size=3), st.sampled_from(["", " ", "\n"]))
def test_metadata_is_read_as_it_was_written(metadata: dict[str, Any], space: str) -> None:
    assert read_metadata(space + json.dumps(metadata)) == metadata


def test_metadata_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"name": "Ä"}', encoding="utf-8")
    assert read_metadata(str(tmp_path / "order.json")) == {"name": "Ä"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is no JSON"),
        (b'{"a": NaN}', "is no JSON"),
        (b"[]", "is JSON, but no object"),
        (b"\xff", "cannot be read"),
    ],
)
def test_metadata_that_is_none_is_named(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_bytes(content)
    with pytest.raises(InvalidOption, match=told):
        read_metadata(str(tmp_path / "order.json"))
