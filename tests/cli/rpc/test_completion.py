import pytest
from hypothesis import given, strategies as st

from aip_trio.cli.rpc._completion import DELIMITERS, Completion
from tests.cli.fleet.test_orders import VALUES

NAMES = ("GET_STATUS", "GET_CONFIGURATION", "EMERGENCY_STOP", "help", "quit")


@pytest.mark.parametrize(
    ("before", "text", "found"),
    [
        ("", "get_s", ["GET_STATUS "]),
        ("", "GET", ["GET_CONFIGURATION ", "GET_STATUS "]),
        ("  ", "stat", ["GET_STATUS "]),
        ("", "q", ["quit "]),
        ("", "x", []),
        ("", "", ["EMERGENCY_STOP ", "GET_CONFIGURATION ", "GET_STATUS ", "help ", "quit "]),
        ("USER_DEFINED ", "sl", []),
        ("USER_DEFINED {", "sl", ['"sleep": ', '"slow": ']),
        ('USER_DEFINED {"', "sl", ["sleep", "slow"]),
        ('USER_DEFINED 5 {"a": 1, ', "s", ['"sleep": ', '"slow": ']),
        ('USER_DEFINED {"a": ', "s", []),
        ('USER_DEFINED {"a": "', "s", []),
    ],
)
def test_names_come_first_and_keys_where_a_key_can_be(before: str, text: str, found: list[str]) -> None:
    completion = Completion(NAMES, ["sleep"])
    completion.learn([{"slow": {"deep": 1}}])
    assert completion.candidates(before, text) == found


@given(st.lists(VALUES, max_size=5))
def test_what_was_learnt_can_be_offered_and_is_bounded(values: list[object]) -> None:
    completion = Completion(())
    for value in values:
        completion.learn(value)
    for candidate in completion.candidates("x {", ""):
        key = candidate.removeprefix('"').removesuffix('": ')
        assert key
        assert not set(key) & set(DELIMITERS)
        assert key.isprintable()


def test_a_service_that_names_ever_new_keys_is_not_remembered_for_ever() -> None:
    completion = Completion(())
    for number in range(100):
        completion.learn({f"key_{number}_{each}": 1 for each in range(100)})
    assert len(completion.candidates("x {", "")) <= 600
