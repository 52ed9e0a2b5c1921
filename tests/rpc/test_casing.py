import json
import re

import pytest
from hypothesis import given, strategies as st

from aip_trio.rpc._casing import _WORD, CAMEL, SNAKE, _Names, snake_keys

PAIRS = [
    ("device_id", "deviceId"),
    ("k", "k"),
    ("training_plan_id", "trainingPlanId"),
    ("_private_key", "_privateKey"),
    ("trailing_", "trailing_"),
    ("x1_axis", "x1Axis"),
    ("", ""),
]

words = st.from_regex(r"[a-z]{2}[a-z0-9]*", fullmatch=True)
names = st.lists(words, min_size=1, max_size=5).map("_".join)


@pytest.mark.parametrize(("snake", "camel"), PAIRS)
def test_a_key_has_one_name_on_each_side(snake: str, camel: str) -> None:
    assert CAMEL[snake] == camel
    assert SNAKE[camel] == snake


@given(names)
def test_a_name_of_words_comes_back(name: str) -> None:
    assert SNAKE[CAMEL[name]] == name


@given(st.text())
def test_any_text_has_a_name_in_both_directions(text: str) -> None:
    assert isinstance(CAMEL[text], str)
    assert isinstance(SNAKE[text], str)


# What pyhumps 3.8.0 answers (tests/peers compares the two over generated keys).
@pytest.mark.parametrize(
    ("key", "camel"),
    [
        ("deviceId", "deviceId"),
        ("DeviceId", "deviceId"),
        ("ALL_CAPS", "ALL_CAPS"),
        ("IDNumber", "IDNumber"),
        ("a__b", "aB"),
        ("key_1", "key1"),
        ("42", "42"),
        ("hello-world", "helloWorld"),
        ("two words", "twowords"),
    ],
)
def test_other_keys_go_out_as_the_peers_write_them(key: str, camel: str) -> None:
    assert CAMEL[key] == camel


@pytest.mark.parametrize(
    ("key", "snake"),
    [
        ("device_id", "device_id"),
        ("APIResponse", "api_response"),
        ("deviceID", "device_id"),
        ("DeviceId", "device_id"),
        ("ALL_CAPS", "ALL_CAPS"),
        ("key1", "key1"),
        ("42", "42"),
    ],
)
def test_other_keys_come_in_as_the_peers_read_them(key: str, snake: str) -> None:
    assert SNAKE[key] == snake


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=20,
)


def renamed(value: object) -> object:
    """The plain way to say it."""
    return json.loads(
        json.dumps(value), object_pairs_hook=lambda pairs: {SNAKE[key]: part for key, part in pairs}
    )


@given(values)
def test_keys_are_renamed_however_deep_and_values_never(value: object) -> None:
    assert snake_keys(value) == renamed(value)


def test_made_up_keys_do_not_fill_the_memory() -> None:
    names = _Names(str.upper)
    for number in range(10_000):
        assert names[f"key_{number}"] == f"KEY_{number}"
    assert len(names) <= 4096
    assert names["x" * 65] == "X" * 65
    assert "x" * 65 not in names


@pytest.mark.parametrize("key", ["_" * 1_000_000, "-_" * 500_000, "a" + "_" * 1_000_000, "A_" * 500_000])
def test_a_key_takes_no_longer_than_its_length(key: str) -> None:
    # By the square of it, these would take hours.
    assert SNAKE[key]
    assert CAMEL[key]


@given(st.text("aB1_-", max_size=12))
def test_a_word_is_split_from_those_before_it_with_all_its_separators(key: str) -> None:
    assert _WORD.split(key) == re.split("([-_]*[A-Z][^A-Z]*)", key)
