"""The bytes of events and commands, and what they say. Nothing here sends or receives.

Two dialects exist of a published message: a JSON object (auto-trainer-api 0.12, ours), and a JSON string that
holds one (0.9). What is read may be in either.
"""

from __future__ import annotations

import json
from typing import Annotated, cast

import attrs
import msgspec

from aip_trio.errors import DecodeError, EncodeError
from aip_trio.errors._base import show, told
from aip_trio.rpc._casing import SNAKE, snake_keys
from aip_trio.rpc._command import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestErrorKind,
    ApiCommandRequestResult,
)
from aip_trio.rpc._open_enum import Members
from aip_trio.rpc._plain import REFUSALS, unwritable, write
from aip_trio.rpc._topic import ApiTopic

__all__ = [
    "Reply",
    "decode_payload",
    "decode_topic",
    "encode_message",
    "encode_message_09",
    "encode_reply",
    "encode_request",
    "encode_topic",
    "parse_reply",
    "parse_request",
    "reply_of",
]

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

_COMMANDS = Members(ApiCommand)
_RESULTS = Members(ApiCommandRequestResult)
_ERROR_KINDS = Members(ApiCommandRequestErrorKind)

#: What msgspec and json raise for bytes that they do not read.
_UNREADABLE = (ValueError, msgspec.DecodeError, RecursionError)


# Nearly all requests and replies look like this, and are read in a third of the time that the long way takes:
# that is for whatever these do not accept, so they need not know what is wrong with it.

_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _WireRequest(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    command: _Integer
    nonce: _Integer = 0
    custom_command: _Integer = -1
    data: object = None


class _WireReply(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    nonce: _Integer
    command: _Integer
    result: _Integer
    data: object = None
    error_kind: _Integer = 0
    error_code: _Integer = 0
    error_message: str | None = None


_decode_request = msgspec.json.Decoder(_WireRequest).decode
_decode_reply = msgspec.json.Decoder(_WireReply).decode


# Topics


def encode_topic(topic: int) -> bytes:
    """The frame of a topic: 4 bytes, little-endian. Raises `EncodeError` for one that does not fit."""
    try:
        return topic.to_bytes(4, "little")
    except (AttributeError, OverflowError):
        raise EncodeError("topic", f"{show(topic)} has no 4 bytes; give one from 0 to 4294967295") from None


def decode_topic(frame: bytes) -> ApiTopic:
    """The topic of a frame. Raises `DecodeError`."""
    if len(frame) != 4:
        raise DecodeError("topic", (f"has {len(frame)} bytes, not 4 @ $",))
    return ApiTopic(int.from_bytes(frame, "little"))


# Published messages


def encode_message(message: object) -> bytes:
    """A message to publish, as a JSON object with keys in camelCase.

    ``message``: a mapping, or an instance of an attrs class or a dataclass. Raises `EncodeError`, which
    names the part that has no form in JSON.
    """
    try:
        data = write(message)
    except REFUSALS as error:
        raise EncodeError("message", unwritable(message, error)) from error
    if data[:1] != b"{":
        raise EncodeError("message", f"a {type(message).__name__} is no JSON object; give a mapping")
    return data


def encode_message_09(message: object) -> bytes:
    """The same in the dialect of auto-trainer-api 0.9: a JSON string that holds the object."""
    return _encode(encode_message(message).decode())


def decode_payload(payload: bytes) -> object:
    """What a published message says, in either dialect, its keys in snake_case. Raises `DecodeError`."""
    value = _read(payload, "payload")
    if type(value) is str and value.startswith("{"):
        value = _read(value, "payload")
    return _snaked(value, "payload")


# Requests


def encode_request(request: ApiCommandRequest) -> bytes:
    """A request to send. Raises `EncodeError`, which names the part of its data that has no form in JSON."""
    message: dict[str, object] = {"command": int(request.command), "nonce": request.nonce}
    if request.custom_command != -1:
        message["custom_command"] = request.custom_command
    if request.data is not None:
        message["data"] = request.data
    return encode_message(message)


def parse_request(data: bytes) -> ApiCommandRequest | None:
    """The request that a client has sent; None where it is no JSON object whose command is an integer.

    A command without a name here is USER_DEFINED. A nonce that is missing, or no integer, is 0.
    """
    try:
        request = _decode_request(data)
    except _UNREADABLE:
        return _parse_odd_request(data)
    try:
        content = _snaked(request.data, "request")
    except DecodeError:
        return None
    command = _COMMANDS.get(request.command, ApiCommand.USER_DEFINED)
    return ApiCommandRequest(command, request.custom_command, request.nonce, content)


def _parse_odd_request(data: bytes) -> ApiCommandRequest | None:
    try:
        message = _read(data, "request")
        if type(message) is not dict:
            return None
        fields = cast("dict[str, object]", message)
        if "command" not in fields or "custom_command" in fields:
            fields = {SNAKE[key]: value for key, value in fields.items()}
        command = _integer(fields.get("command"))
        if command is None:
            return None
        custom_command = _integer(fields.get("customCommand", fields.get("custom_command")))
        return ApiCommandRequest(
            _COMMANDS.get(command, ApiCommand.USER_DEFINED),
            -1 if custom_command is None else custom_command,
            _integer(fields.get("nonce")) or 0,
            _snaked(fields.get("data"), "request"),
        )
    except DecodeError:
        return None


# Replies


@attrs.frozen
class Reply:
    """The answer to a command."""

    nonce: int
    command: ApiCommand
    result: ApiCommandRequestResult = ApiCommandRequestResult.UNRECOGNIZED
    data: object = None
    error_kind: ApiCommandRequestErrorKind = ApiCommandRequestErrorKind.NONE
    error_code: int = 0
    error_message: str | None = None


def encode_reply(reply: Reply) -> bytes:
    """A reply to send.

    Never fails: where the data have no form in JSON, the reply goes without them, as a SYSTEM_ERROR whose
    message says so.
    """
    try:
        return _reply_bytes(reply)
    except REFUSALS as error:
        try:
            write(reply.data)
        except REFUSALS:
            message = f"the reply's data could not be serialised: {unwritable(reply.data, error)}"
        else:
            message = f"the reply could not be serialised: {told(error)}"
    return _reply_bytes(
        Reply(
            _integer(reply.nonce) or 0,
            ApiCommand(_integer(reply.command) or 0),
            ApiCommandRequestResult(_integer(reply.result) or 0),
            error_kind=ApiCommandRequestErrorKind.SYSTEM_ERROR,
            error_message=message,
        )
    )


# Written by hand, because every command waits for it, and because a nonce may be an integer of any size.
_REPLY = b'{"nonce":%d,"command":%d,"result":%d,"data":%b,"errorKind":%d,"errorCode":%d,"errorMessage":%b}'


def _reply_bytes(reply: Reply) -> bytes:
    return _REPLY % (
        reply.nonce,
        reply.command,
        reply.result,
        b"null" if reply.data is None else write(reply.data),
        reply.error_kind,
        reply.error_code,
        b"null" if reply.error_message is None else write(reply.error_message),
    )


def parse_reply(data: bytes) -> Reply:
    """The reply that a service has sent. Raises `DecodeError`, which lists all that is wrong."""
    try:
        reply = _decode_reply(data)
    except _UNREADABLE:
        return reply_of(_snaked(_read(data, "reply"), "reply"))
    return Reply(
        reply.nonce,
        _COMMANDS[reply.command],
        _RESULTS[reply.result],
        _snaked(reply.data, "reply"),
        _ERROR_KINDS[reply.error_kind],
        reply.error_code,
        reply.error_message,
    )


def reply_of(value: object) -> Reply:
    """The reply that a decoded object is; what COMMAND_RESULT publishes is one too. Raises `DecodeError`."""
    if type(value) is not dict:
        raise DecodeError("reply", ("is no JSON object @ $",))
    fields = cast("dict[str, object]", value)
    faults: list[str] = []

    def number(name: str, default: int | None = None) -> int:
        found = fields.get(name, default)
        integer = _integer(found)
        if integer is None or integer.bit_length() > 64:
            faults.append(f"{show(found)} is no integer of 64 bits @ $.{name}")
            return 0
        return integer

    nonce, command, result = number("nonce"), number("command"), number("result")
    error_kind, error_code = number("error_kind", 0), number("error_code", 0)
    message = fields.get("error_message")
    if message is not None and type(message) is not str:
        faults.append(f"{show(message)} is no text @ $.error_message")
    if faults:
        raise DecodeError("reply", tuple(faults))
    return Reply(
        nonce,
        _COMMANDS[command],
        _RESULTS[result],
        fields.get("data"),
        _ERROR_KINDS[error_kind],
        error_code,
        cast("str | None", message),
    )


# Reading


def _read(data: bytes | str, wanted: str) -> object:
    try:
        return _decode(data)
    except _UNREADABLE as error:
        try:  # Python's json writes NaN and lone surrogates, and peers are written in Python
            return json.loads(data, parse_constant=_nothing)
        except _UNREADABLE:
            raise DecodeError(wanted, (f"{told(error)} @ $",)) from error


def _nothing(_constant: str) -> None:
    """NaN and the infinities are null, as they are where we write."""


def _snaked(value: object, wanted: str) -> object:
    try:
        return snake_keys(value)
    except RecursionError as error:
        raise DecodeError(wanted, ("nests too deep @ $",)) from error


def _integer(value: object) -> int | None:
    """An integer, which some peers write as 300.0; None of anything else, and of true and false."""
    if type(value) is int or (isinstance(value, int) and not isinstance(value, bool)):
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    return None
