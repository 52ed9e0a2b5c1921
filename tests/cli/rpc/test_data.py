import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given

from aip_trio.cli.rpc._data import read_data
from aip_trio.errors import InvalidOption
from tests.cli.fleet.test_orders import VALUES


@given(VALUES)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert read_data(json.dumps(value)) == value


def test_without_a_text_there_are_none() -> None:
    assert read_data(None) is None


def test_they_may_be_in_a_file_or_come_by_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.json").write_text('{"name": "Ä"}', encoding="utf-8")
    assert read_data(f"@{tmp_path / 'data.json'}") == {"name": "Ä"}
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1, 2]"))
    assert read_data("-") == [1, 2]


@pytest.mark.parametrize("text", ["", "{", "{a: 1}", '{"a": NaN}', "[" * 100_000, "'x'"])
def test_what_is_no_json_is_named_with_what_to_write(text: str) -> None:
    with pytest.raises(InvalidOption, match="is no JSON") as raised:
        read_data(text)
    assert """write it as '{"key": 1}', @file, or -""" in str(raised.value)


@pytest.mark.parametrize(("name", "content"), [("missing", None), ("a\0b", None), ("latin", b"\xff")])
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidOption, match=r"data='@.*cannot be read"):
        read_data(f"@{tmp_path / name}")


def test_a_closed_stdin_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InvalidOption, match="which is closed: give the JSON itself"):
        read_data("-")


def test_an_endless_file_is_too_much() -> None:
    with pytest.raises(InvalidOption, match="has more than 16777216 characters"):
        read_data("@/dev/zero")


def test_an_empty_stdin_or_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    with pytest.raises(InvalidOption, match="data='-' is empty: put JSON there"):
        read_data("-")
    (tmp_path / "data.json").touch()
    with pytest.raises(InvalidOption, match=r"data='@.*' is empty: put JSON there"):
        read_data(f"@{tmp_path / 'data.json'}")
