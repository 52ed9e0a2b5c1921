"""What a client is told of its command, whatever the delegate did."""

from __future__ import annotations

import attrs

from aip_trio.errors._base import show
from aip_trio.rpc._command import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestErrorKind,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
)
from aip_trio.rpc._wire import Reply, encode_reply

__all__ = [
    "UNRECOGNIZED",
    "failed",
    "gave_up",
    "judged",
    "pending",
    "raised",
    "response_of",
    "unavailable",
    "written",
]

#: The answer to what is no request.
UNRECOGNIZED = Reply(0, ApiCommand.NONE)

_SUCCESS = ApiCommandRequestResult.SUCCESS
_NO_ERROR = ApiCommandRequestErrorKind.NONE

#: Of an error's text: what is longer says no more.
_LONGEST_TEXT = 4000


def judged(request: ApiCommandRequest, returned: object) -> Reply:
    """The reply that follows from what the delegate returned, rubbish included."""
    if not isinstance(returned, ApiCommandRequestResponse):
        return _exception(
            request, f"the delegate returned {show(returned)}: have it return an ApiCommandRequestResponse"
        )
    result, code, text = returned.result, returned.error_code, returned.error_message
    if result is _SUCCESS and code == 0 and text is None:
        return Reply(request.nonce, request.command, result, returned.data)
    fault = _fault(result, code, text)
    if fault is not None:
        return _exception(request, f"the delegate returned a response whose {fault}")
    kind = ApiCommandRequestErrorKind.COMMAND_ERROR if code else _NO_ERROR
    return Reply(
        request.nonce,
        request.command,
        ApiCommandRequestResult(int(result)),
        returned.data,
        kind,
        int(code),
        text,
    )


def _fault(result: object, code: object, text: object) -> str | None:
    if not _is_integer(result):
        return f"result={show(result)}: give an ApiCommandRequestResult"
    if not _is_integer(code):
        return f"error_code={show(code)}: give an integer, 0 for no error"
    if text is not None and not isinstance(text, str):
        return f"error_message={show(text)}: give a text, or None"
    return None


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64


def raised(request: ApiCommandRequest, error: BaseException) -> Reply:
    """The reply where the delegate raised."""
    return _exception(request, _text_of(error))


def _text_of(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not cost the client its answer
        text = ""
    text = text[:_LONGEST_TEXT].encode(errors="replace").decode()  # file names may hold lone surrogates
    return text or type(error).__qualname__


def gave_up(request: ApiCommandRequest, seconds: float) -> Reply:
    """The reply where the delegate did not come to an end."""
    return _exception(request, f"the delegate did not return within {seconds:g} s")


def _exception(request: ApiCommandRequest, text: str) -> Reply:
    return _said(request, ApiCommandRequestResult.EXCEPTION, text)


def failed(request: ApiCommandRequest, text: str) -> Reply:
    """The reply to a command of the service's own that makes no sense."""
    kind = ApiCommandRequestErrorKind.COMMAND_ERROR
    return Reply(request.nonce, request.command, ApiCommandRequestResult.FAILED, None, kind, 1, text)


def unavailable(request: ApiCommandRequest, text: str | None) -> Reply:
    """The reply where nobody does what was asked for."""
    return _said(request, ApiCommandRequestResult.UNAVAILABLE, text)


def pending(request: ApiCommandRequest) -> Reply:
    """The reply where the delegate takes its time."""
    return _said(request, ApiCommandRequestResult.PENDING_WITH_NOTIFICATION, None)


def _said(request: ApiCommandRequest, result: ApiCommandRequestResult, text: str | None) -> Reply:
    return Reply(request.nonce, request.command, result, error_message=text)


def written(reply: Reply) -> bytes:
    """A reply as it is sent. Its data are the delegate's, and may raise anything where they are looked at."""
    try:
        return encode_reply(reply)
    except Exception as error:  # noqa: BLE001 - the client is told
        kind = ApiCommandRequestErrorKind.SYSTEM_ERROR
        text = _text_of(error)
        return encode_reply(attrs.evolve(reply, data=None, error_kind=kind, error_code=0, error_message=text))


def response_of(reply: Reply) -> ApiCommandRequestResponse:
    """What COMMAND_RESULT says where the reply comes too late to be one."""
    return ApiCommandRequestResponse(
        reply.result, reply.data, reply.error_code, reply.error_message, reply.command, reply.nonce
    )
