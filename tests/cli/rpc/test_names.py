import pytest
from hypothesis import given, strategies as st

from aip_trio.cli.rpc._names import find
from aip_trio.errors import InvalidOption

COMMANDS = {
    "NONE": 0,
    "START_ACQUISITION": 100,
    "STOP_ACQUISITION": 110,
    "EMERGENCY_STOP": 200,
    "EMERGENCY_RESUME": 210,
    "GET_CONFIGURATION": 300,
    "GET_STATUS": 400,
}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("GET_STATUS", 400),
        ("get-status", 400),
        ("Get_S", 400),
        ("status", 400),
        ("conf", 300),
        ("start", 100),
        ("stop", 110),
        ("resume", 210),
        ("n", 0),
        ("7", 7),
        ("-7", -7),
        ("123456", 123456),
        (" status ", 400),
    ],
)
def test_it_is_a_number_a_name_or_enough_of_one(text: str, number: int) -> None:
    assert find("command", text, COMMANDS) == number


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("get", "command='get' may be each of GET_CONFIGURATION, GET_STATUS: write more of it"),
        ("emergency", "command='emergency' may be each of EMERGENCY_STOP, EMERGENCY_RESUME"),
        ("acq", "may be each of START_ACQUISITION, STOP_ACQUISITION"),
        ("dance", "command='dance' is none: write a number, or one of NONE, START_ACQUISITION, "),
        ("", "is none: write a number, or one of"),
        ("1.5", "is none"),
        ("٣", "is none"),
        ("9" * 20, "is none"),
    ],
)
def test_what_is_none_or_several_is_told_with_the_names(text: str, told: str) -> None:
    with pytest.raises(InvalidOption) as raised:
        find("command", text, COMMANDS)
    assert told in str(raised.value)


@given(st.dictionaries(st.from_regex("[A-Za-z][A-Za-z_]{0,8}", fullmatch=True), st.integers(), min_size=1))
def test_every_whole_name_is_found(numbers: dict[str, int]) -> None:
    numbers = {name.upper(): number for name, number in numbers.items()}
    for name, number in numbers.items():
        assert find("topic", name.lower(), numbers) == number
        assert find("topic", name, {name.lower(): number}) == number


@given(st.integers(-(10**18), 10**18))
def test_every_number_is_itself(number: int) -> None:
    assert find("command", str(number), COMMANDS) == number
