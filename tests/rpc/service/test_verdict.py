"""What a client is told, whatever its delegate returned or raised."""

import json
from typing import Any, cast

import pytest

from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestErrorKind,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
)
from aip_trio.rpc._wire import encode_reply
from aip_trio.rpc.service._verdict import judged, raised, response_of

REQUEST = ApiCommandRequest(ApiCommand.GET_STATUS, nonce=7)
Result = ApiCommandRequestResult


def wild(**fields: object) -> ApiCommandRequestResponse:
    """A response with what no type checker would let pass."""
    return ApiCommandRequestResponse(**cast("Any", {"result": Result.SUCCESS} | fields))


def test_a_response_is_the_reply_with_the_requests_command_and_nonce() -> None:
    reply = judged(REQUEST, ApiCommandRequestResponse(Result.SUCCESS, {"a": 1}, nonce=99))
    assert (reply.command, reply.nonce, reply.result, reply.data) == (ApiCommand.GET_STATUS, 7, 100, {"a": 1})
    assert reply.error_kind == ApiCommandRequestErrorKind.NONE


def test_an_error_code_makes_it_the_commands_error() -> None:
    reply = judged(REQUEST, ApiCommandRequestResponse(Result.FAILED, None, 7, "not_stopped"))
    assert (reply.result, reply.error_code, reply.error_message) == (400, 7, "not_stopped")
    assert reply.error_kind == ApiCommandRequestErrorKind.COMMAND_ERROR


def test_a_result_of_the_devices_own_is_carried() -> None:
    reply = judged(REQUEST, wild(result=777))
    assert reply.result == 777
    assert json.loads(encode_reply(reply))["result"] == 777


@pytest.mark.parametrize("rubbish", [None, 0, "ok", {"result": 100}, Result.SUCCESS, object()])
def test_what_is_no_response_is_an_exception_that_says_what_to_return(rubbish: object) -> None:
    reply = judged(REQUEST, rubbish)
    assert reply.result == Result.EXCEPTION
    assert reply.nonce == 7
    assert "ApiCommandRequestResponse" in (reply.error_message or "")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"result": "SUCCESS"}, "result='SUCCESS'"),
        ({"result": None}, "result=None"),
        ({"result": True}, "result=True"),
        ({"result": 1 << 70}, "result="),
        ({"error_code": "7"}, "error_code='7'"),
        ({"error_code": None}, "error_code=None"),
        ({"error_message": 7}, "error_message=7"),
    ],
)
def test_a_response_with_rubbish_in_it_is_an_exception_that_names_it(
    fields: dict[str, object], named: str
) -> None:
    reply = judged(REQUEST, wild(**fields))
    assert reply.result == Result.EXCEPTION
    assert named in (reply.error_message or "")


def test_an_error_is_told_by_its_text() -> None:
    reply = raised(REQUEST, RuntimeError("boom_in_delegate"))
    assert (reply.result, reply.error_message) == (Result.EXCEPTION, "boom_in_delegate")
    assert reply.error_kind == ApiCommandRequestErrorKind.NONE


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "text"), [(KeyError(), "KeyError"), (Mute(), "Mute"), (SystemExit(), "SystemExit")]
)
def test_an_error_without_a_text_is_told_by_its_class(error: BaseException, text: str) -> None:
    assert raised(REQUEST, error).error_message == text


def test_a_text_that_is_no_unicode_is_told_all_the_same() -> None:
    reply = json.loads(encode_reply(raised(REQUEST, OSError("no file \udcff"))))
    assert (reply["result"], reply["errorMessage"]) == (500, "no file ?")


def test_a_very_long_text_is_cut() -> None:
    assert len(raised(REQUEST, ValueError("x" * 100_000)).error_message or "") == 4000


def test_a_late_reply_is_the_command_result_of_its_request() -> None:
    reply = judged(REQUEST, ApiCommandRequestResponse(Result.FAILED, {"a": 1}, 7, "no"))
    assert response_of(reply) == ApiCommandRequestResponse(
        Result.FAILED, {"a": 1}, 7, "no", ApiCommand.GET_STATUS, 7
    )
