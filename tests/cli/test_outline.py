import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aip_trio.cli._outline import cut, outline


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (None, ["-"]),
        ("", [""]),
        (True, ["yes"]),
        (0, ["0"]),
        ({}, ["-"]),
        ([], ["-"]),
        ("one\ntwo", ["one", "two"]),
        ("\x1b[31mred", [r"\x1b[31mred"]),
        ({"a": 1, "b": {"c": []}}, ["a: 1", "b:", "  c: -"]),
        ({"text": "one\ntwo"}, ["text:", "  one", "  two"]),
        ([1, [2, 3]], ["- 1", "- - 2", "  - 3"]),
        ([{"path": "a", "size": 3, "error": None}], ["- path: a  size: 3"]),
        ([{"a": {"b": 1}}], ["- a:", "    b: 1"]),
        ({"\x07": 1}, [r"\x07: 1"]),
    ],
)
def test_a_value_in_lines(value: object, lines: list[str]) -> None:
    assert list(outline(value)) == lines


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_has_lines_that_a_terminal_shows(value: object) -> None:
    json.dumps(value)  # it is one of JSON's
    lines = list(outline(value))
    assert lines
    assert all(line.isprintable() for line in lines)


def test_what_is_cut_says_so() -> None:
    assert list(cut(iter("abc"), 3)) == ["a", "b", "c"]
    assert list(cut(iter("abcde"), 3)) == ["a", "b", "c", "… and 2 more lines: --json has all"]
