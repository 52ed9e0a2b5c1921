import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from aip_trio.cli.rpc._errand import Errand
from aip_trio.cli.rpc._line import Word, read_line
from aip_trio.errors import InvalidOption
from tests.cli.fleet.test_orders import VALUES
from tests.cli.rpc.test_names import COMMANDS

NAMES = {**COMMANDS, "USER_DEFINED": 99999}


@pytest.mark.parametrize(
    ("text", "errand"),
    [
        ("status", Errand(400, -1, None)),
        ("  GET_STATUS  ", Errand(400, -1, None)),
        ("77", Errand(77, -1, None)),
        ("user 5", Errand(99999, 5, None)),
        ('user 5 {"a": 1}', Errand(99999, 5, {"a": 1})),
        ('user{"a": 1}', Errand(99999, -1, {"a": 1})),
        ("user [1,2]", Errand(99999, -1, [1, 2])),
        ('user "text"', Errand(99999, -1, "text")),
        ("user -1 5", Errand(99999, -1, 5)),
        ("user 1.5", Errand(99999, -1, 1.5)),
        ('user {"a":\n 1}', Errand(99999, -1, {"a": 1})),
    ],
)
def test_a_command_has_a_custom_number_and_data_or_not(text: str, errand: Errand) -> None:
    assert read_line(text, NAMES) == errand


@pytest.mark.parametrize(
    ("text", "word"),
    [("help", Word.HELP), ("?", Word.HELP), ("quit", Word.QUIT), (" EXIT ", Word.QUIT)],
)
def test_some_words_are_the_consoles_own(text: str, word: Word) -> None:
    assert read_line(text, NAMES) is word


@pytest.mark.parametrize("text", ["", "   ", "# a comment", "\t"])
def test_an_empty_line_or_a_comment_asks_for_nothing(text: str) -> None:
    assert read_line(text, NAMES) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1}', "begins with no command: write COMMAND [CUSTOM] [JSON]"),
        ("dance", "is none: write a number, or one of"),
        ("status {", "is no JSON"),
        ("status -", "cannot be read here"),
        ("status @/no/where", "cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, told: str) -> None:
    with pytest.raises(InvalidOption) as raised:
        read_line(text, NAMES)
    assert told in str(raised.value)


def test_data_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[3]")
    assert read_line(f"user @{tmp_path / 'data.json'}", NAMES) == Errand(99999, -1, [3])


@given(st.sampled_from(sorted(NAMES)), st.integers(-(10**18), 10**18), VALUES)
def test_what_is_written_in_full_is_read(name: str, custom: int, data: object) -> None:
    assert read_line(f"{name} {custom} {json.dumps(data)}", NAMES) == Errand(NAMES[name], custom, data)


@given(st.text())
def test_any_line_is_read_or_refused(text: str) -> None:
    try:
        found = read_line(text, NAMES)
    except InvalidOption:
        return
    assert found is None or isinstance(found, Errand | Word)
