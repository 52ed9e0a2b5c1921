import contextlib
import dataclasses
import enum
import json
import math
import uuid
from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import DecodeError, EncodeError
from aip_trio.rpc._command import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestErrorKind,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
)
from aip_trio.rpc._event import ApiEvent, ApiEventKind
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc._wire import (
    Reply,
    _parse_odd_request,
    decode_payload,
    decode_topic,
    encode_message,
    encode_message_09,
    encode_reply,
    encode_request,
    encode_topic,
    parse_reply,
    parse_request,
    reply_of,
)

words = st.from_regex(r"[a-z]{2}[a-z0-9]*", fullmatch=True)
names = st.lists(words, min_size=1, max_size=3).map("_".join)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=20,
)
messages = st.dictionaries(names, values, max_size=5)
numbers = st.integers(-(2**63), 2**63 - 1)


# Topics


@given(st.integers(0, 2**32 - 1))
def test_a_topic_comes_back(topic: int) -> None:
    frame = encode_topic(topic)
    assert len(frame) == 4
    assert decode_topic(frame) == topic


def test_a_topic_is_little_endian() -> None:
    assert encode_topic(ApiTopic.HEARTBEAT) == bytes.fromhex("e9030000")


@pytest.mark.parametrize("topic", [-1, 2**32, 5001.0, "EVENT", None])
def test_a_topic_that_does_not_fit_is_refused(topic: Any) -> None:
    with pytest.raises(EncodeError, match=f"{topic!r} has no 4 bytes"):
        encode_topic(topic)


@pytest.mark.parametrize("frame", [b"", b"abc", b"abcde"])
def test_a_frame_that_is_no_topic_is_told(frame: bytes) -> None:
    with pytest.raises(DecodeError, match=f"{len(frame)} bytes"):
        decode_topic(frame)


# Messages


@given(messages)
def test_a_message_comes_back_in_both_dialects(message: dict[str, object]) -> None:
    assert decode_payload(encode_message(message)) == message
    assert decode_payload(encode_message_09(message)) == message


@given(messages)
def test_the_old_dialect_is_a_json_string_that_holds_json(message: dict[str, object]) -> None:
    inner = json.loads(encode_message_09(message))
    assert isinstance(inner, str)
    assert json.loads(inner) == json.loads(encode_message(message))


class Colour(enum.Enum):
    RED = "dark_red"
    PAIR = (1, 2)


@attrs.frozen
class Place:
    room_number: int
    colour: Colour


@dataclasses.dataclass
class Visit:
    first_place: Place
    last_day: date


ODD: Any = object()


class Word(str):
    __slots__ = ()


def test_every_kind_of_value_has_a_form_and_keeps_its_text() -> None:
    when = datetime(2024, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)
    number = uuid.UUID(int=7)
    message: dict[object, object] = {
        "a_uuid": number,
        "a_time": when,
        "a_day": date(2024, 1, 2),
        "an_enum": Colour.RED,
        "a_pair": Colour.PAIR,
        "an_int_enum": ApiCommand(7),
        "a_visit": Visit(Place(3, Colour.RED), date(2024, 1, 2)),
        "a_tuple": (1, (2, "snake_value")),
        "a_nan": math.nan,
        "an_infinity": [math.inf, -math.inf],
        "a_word": Word("snake_value"),
        5: {None: 1, True: 2, 1.5: 3, Colour.RED: 4, Word("some_key"): 5},
    }
    assert json.loads(encode_message(message)) == {
        "aUuid": str(number),
        "aTime": when.timestamp(),
        "aDay": "2024-01-02",
        "anEnum": "dark_red",
        "aPair": [1, 2],
        "anIntEnum": 7,
        "aVisit": {"firstPlace": {"roomNumber": 3, "colour": "dark_red"}, "lastDay": "2024-01-02"},
        "aTuple": [1, [2, "snake_value"]],
        "aNan": None,
        "anInfinity": [None, None],
        "aWord": "snake_value",
        "5": {"null": 1, "true": 2, "1.5": 3, "darkRed": 4, "someKey": 5},
    }


def test_an_instance_is_a_message_too() -> None:
    event = ApiEvent(ApiEventKind.emergencyStop, 1700000000.5, 5, {"stop_reason": "door_open"})
    assert json.loads(encode_message(event)) == {
        "kind": 101,
        "when": 1700000000.5,
        "index": 5,
        "context": {"stopReason": "door_open"},
    }
    assert json.loads(
        encode_message(ApiCommandRequestResponse(ApiCommandRequestResult.SUCCESS, nonce=4))
    ) == {
        "result": 100,
        "data": None,
        "errorCode": 0,
        "errorMessage": None,
        "command": 0,
        "nonce": 4,
    }


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"a": {"b": [1, {2}]}}, r"\$\['a'\]\['b'\]\[1\]; "),
        ({"a": b"bytes"}, r"bytes.* @ \$\['a'\]; "),
        ({"a": "\ud800"}, r"\$\['a'\]; "),
        ({"visit": Visit(Place(3, Colour.RED), ODD)}, r"\$\['visit'\]\.last_day; "),
        ({("a",): 1}, r"a key is \('a',\), a tuple @ \$; "),
        ([1], "a list is no JSON object"),
        ("text", "a str is no JSON object"),
    ],
)
def test_what_has_no_form_is_named_by_its_path(message: object, path: str) -> None:
    with pytest.raises(EncodeError, match=path):
        encode_message(message)


def test_what_holds_itself_is_refused() -> None:
    circle: dict[str, object] = {}
    circle["self"] = circle
    with pytest.raises(EncodeError, match="holds itself"):
        encode_message(circle)


@pytest.mark.parametrize("payload", [b"", b"hello", b"{", b'"{"', b"\xff", b"[" * 100_000 + b"]" * 100_000])
def test_what_is_no_json_is_told(payload: bytes) -> None:
    with pytest.raises(DecodeError, match=r"@ \$"):
        decode_payload(payload)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b'{"aB": NaN, "c": [-Infinity]}', {"a_b": None, "c": [None]}),
        (b'"a text"', "a text"),
        (b'"5"', "5"),
        (b"5", 5),
        (b'"{\\"aB\\": \\"cD\\"}"', {"a_b": "cD"}),
    ],
)
def test_what_peers_may_publish_is_read(payload: bytes, value: object) -> None:
    assert decode_payload(payload) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decode_payload(data)
    parse_request(data)
    with pytest.raises(DecodeError):
        parse_reply(data)


# Requests


@given(st.sampled_from(ApiCommand), numbers, numbers, values)
def test_a_request_comes_back(command: ApiCommand, custom: int, nonce: int, data: object) -> None:
    request = ApiCommandRequest(command, custom, nonce, data)
    assert parse_request(encode_request(request)) == request


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"5",
        b'"command"',
        b'{"nonce": 7}',
        b'{"command": null}',
        b'{"command": true}',
        b'{"command": "300"}',
        b'{"command": 300.5}',
        b'{"command": [300]}',
        b'{"command": 300, "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_request_is_none(data: bytes) -> None:
    assert parse_request(data) is None


@pytest.mark.parametrize(
    ("data", "request_"),
    [
        (b'{"command": 300}', ApiCommandRequest(ApiCommand.GET_CONFIGURATION, nonce=0)),
        (b'{"command": 300.0}', ApiCommandRequest(ApiCommand.GET_CONFIGURATION, nonce=0)),
        (b'{"Command": 300, "Nonce": 4}', ApiCommandRequest(ApiCommand.GET_CONFIGURATION, nonce=4)),
        (b'{"command": 123456, "nonce": -6}', ApiCommandRequest(ApiCommand.USER_DEFINED, nonce=-6)),
        (b'{"command": 400, "custom_command": 5}', ApiCommandRequest(ApiCommand.GET_STATUS, 5, 0)),
        (b'{"command": 400, "customCommand": 5}', ApiCommandRequest(ApiCommand.GET_STATUS, 5, 0)),
        (b'{"command": 400, "customCommand": "5"}', ApiCommandRequest(ApiCommand.GET_STATUS, -1, 0)),
        (b'{"command": 400, "nonce": "one"}', ApiCommandRequest(ApiCommand.GET_STATUS, -1, 0)),
        (b'{"command": 400, "nonce": true}', ApiCommandRequest(ApiCommand.GET_STATUS, -1, 0)),
        (
            b'{"command": 400, "nonce": 1, "data": {"someKey": "someValue", "NaN": NaN}}',
            ApiCommandRequest(ApiCommand.GET_STATUS, -1, 1, {"some_key": "someValue", "na_n": None}),
        ),
    ],
)
def test_requests_of_all_clients_are_read(data: bytes, request_: ApiCommandRequest) -> None:
    assert parse_request(data) == request_


def test_a_request_whose_data_have_no_form_is_refused() -> None:
    with pytest.raises(EncodeError, match=r"\$\['data'\]"):
        encode_request(ApiCommandRequest(ApiCommand.NONE, data={1, 2}))


# Replies


@given(numbers, numbers, numbers, values, numbers, numbers, st.none() | texts)
def test_a_reply_comes_back(
    nonce: int, command: int, result: int, data: object, kind: int, code: int, message: str | None
) -> None:
    reply = Reply(
        nonce,
        ApiCommand(command),
        ApiCommandRequestResult(result),
        data,
        ApiCommandRequestErrorKind(kind),
        code,
        message,
    )
    assert parse_reply(encode_reply(reply)) == reply


@pytest.mark.parametrize("data", [{1, 2}, "\ud800", [object()], {"deep": b"bytes"}])
def test_a_reply_whose_data_have_no_form_goes_without_them_and_says_so(data: object) -> None:
    reply = parse_reply(
        encode_reply(Reply(4, ApiCommand.GET_STATUS, ApiCommandRequestResult.SUCCESS, data, error_code=7))
    )
    assert (reply.nonce, reply.command, reply.result) == (4, ApiCommand.GET_STATUS, 100)
    assert reply.data is None
    assert reply.error_kind is ApiCommandRequestErrorKind.SYSTEM_ERROR
    assert reply.error_code == 0
    assert reply.error_message is not None
    assert "data could not be serialised" in reply.error_message


@pytest.mark.parametrize(
    "reply",
    [
        Reply(4, ApiCommand.GET_STATUS, error_message="\ud800"),
        Reply(4, ApiCommand.GET_STATUS, error_code=ODD),
    ],
)
def test_a_reply_with_rubbish_elsewhere_is_sent_nevertheless(reply: Reply) -> None:
    sent = parse_reply(encode_reply(reply))
    assert (sent.nonce, sent.command) == (4, ApiCommand.GET_STATUS)
    assert sent.error_kind is ApiCommandRequestErrorKind.SYSTEM_ERROR
    assert sent.error_message is not None
    assert "the reply could not be serialised" in sent.error_message


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (b"[]", ("is no JSON object @ $",)),
        (b"{}", 3),
        (b'{"nonce": 1, "command": 2, "result": "x", "errorCode": null, "errorMessage": 5}', 3),
        (b'{"nonce": 1, "command": 36893488147419103232, "result": 0}', 1),
    ],
)
def test_all_faults_of_a_reply_are_told(data: bytes, faults: tuple[str, ...] | int) -> None:
    with pytest.raises(DecodeError) as raised:
        parse_reply(data)
    if isinstance(faults, int):
        assert len(raised.value.faults) == faults
    else:
        assert raised.value.faults == faults


def test_the_short_reply_of_the_peers_last_resort_is_read() -> None:
    reply = parse_reply(b'{"nonce": 4, "command": 300, "result": 100, "errorKind": 1}')
    assert reply == Reply(
        4,
        ApiCommand.GET_CONFIGURATION,
        ApiCommandRequestResult.SUCCESS,
        error_kind=ApiCommandRequestErrorKind.SYSTEM_ERROR,
    )


# What is nearly a request, or a reply.
_INTEGERS = [sign * 2**bits - less for sign in (1, -1) for bits in (63, 64, 80) for less in (0, 1)]
_parts = st.sampled_from(["300", "300.0", "300.5", "true", "null", "NaN", '"1"', r'"\ud800"', '[{"aB":[]}]'])
_parts |= st.sampled_from([0, 1, 400, -1, *_INTEGERS]).map(str)
_OTHERS = ["data", "customCommand", "custom_command", "errorKind", "error_kind", "errorMessage", "Nonce", "x"]
_objects = st.fixed_dictionaries(
    {"command": _parts, "nonce": _parts}, optional=dict.fromkeys(["result", *_OTHERS], _parts)
).map(lambda fields: ("{" + ",".join(f'"{key}":{part}' for key, part in fields.items()) + "}").encode())


@given(_objects)
def test_the_quick_way_to_read_a_request_or_a_reply_reads_what_the_long_one_does(data: bytes) -> None:
    assert repr(parse_request(data)) == repr(_parse_odd_request(data))
    try:
        reply = reply_of(decode_payload(data))
    except DecodeError:
        with pytest.raises(DecodeError):
            parse_reply(data)
    else:
        assert repr(parse_reply(data)) == repr(reply)
