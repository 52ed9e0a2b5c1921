import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import ToolFailed
from aip_trio.rpc import ApiCommand, ApiCommandRequestErrorKind, ApiCommandRequestResult
from aip_trio.rpc._wire import Reply
from aip_trio.rpc.bridge._outcome import outcome

STATUS = ApiCommand.GET_STATUS
Result = ApiCommandRequestResult


@pytest.mark.parametrize("data", [None, {"mode": "idle"}, 0, []])
def test_a_success_is_its_data(data: object) -> None:
    assert outcome("GET_STATUS", Reply(1, STATUS, Result.SUCCESS, data)) == data


@pytest.mark.parametrize("result", [Result.PENDING, Result.PENDING_WITH_NOTIFICATION])
def test_what_was_only_begun_says_so(result: ApiCommandRequestResult) -> None:
    assert outcome("GET_STATUS", Reply(1, STATUS, result, 5)) == {"result": result.name, "data": 5}


def test_a_failure_has_its_code_and_message_and_what_there_is_of_data() -> None:
    reply = Reply(
        1,
        ApiCommand.START_ACQUISITION,
        Result.FAILED,
        {"mode": "emergency"},
        ApiCommandRequestErrorKind.COMMAND_ERROR,
        7,
        "resume first",
    )
    with pytest.raises(ToolFailed) as raised:
        outcome("START_ACQUISITION", reply)
    assert str(raised.value) == "START_ACQUISITION ended with FAILED, error_code=7: resume first"
    assert raised.value.result == {
        "result": "FAILED",
        "error_code": 7,
        "error_message": "resume first",
        "data": {"mode": "emergency"},
    }


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (Result.UNRECOGNIZED, "GET_STATUS ended with UNRECOGNIZED: the device does not know this command"),
        (Result.UNAVAILABLE, "GET_STATUS ended with UNAVAILABLE: the device cannot do it now"),
        (Result.EXCEPTION, "GET_STATUS ended with EXCEPTION: the device's program raised an exception"),
        (Result(12), "GET_STATUS ended with UNKNOWN_12: its result is none that is known here"),
    ],
)
def test_a_failure_without_a_message_says_what_it_means(result: Result, told: str) -> None:
    with pytest.raises(ToolFailed) as raised:
        outcome("GET_STATUS", Reply(1, STATUS, result))
    assert str(raised.value) == told


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-5, 5), st.none() | st.text(max_size=20))
def test_nothing_but_a_success_or_a_begin_passes_for_one(number: int, code: int, message: str | None) -> None:
    reply = Reply(1, STATUS, Result(number), None, error_code=code, error_message=message)
    if number in (100, 200, 201):
        outcome("GET_STATUS", reply)
    else:
        with pytest.raises(ToolFailed, match="GET_STATUS ended with") as raised:
            outcome("GET_STATUS", reply)
        assert "\n" not in str(raised.value)
