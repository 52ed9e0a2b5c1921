from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import DecodeError
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequestResult,
    ApiEventKind,
    ApiTopic,
    CommandResult,
    Event,
    Heartbeat,
    PropertyChange,
    Published,
)
from aip_trio.rpc._wire import encode_message, encode_message_09
from aip_trio.rpc.client._published import published

Encode = Callable[[object], bytes]
dialects = pytest.mark.parametrize("encode", [encode_message, encode_message_09])


@dialects
@pytest.mark.parametrize("topic", [ApiTopic.EVENT, ApiTopic.EMERGENCY])
def test_an_event_is_typed(encode: Encode, topic: ApiTopic) -> None:
    event = published(
        topic, encode({"kind": 101, "when": 1700000000.5, "index": 5, "context": {"the_reason": "door_open"}})
    )
    assert isinstance(event, Event)
    assert (event.topic, event.kind) == (topic, ApiEventKind.emergencyStop)
    assert (event.when, event.index, event.context) == (1700000000.5, 5, {"the_reason": "door_open"})
    assert (event.stream, event.sequence) == (None, None)


def test_an_event_of_an_unknown_kind_is_carried_with_all_that_it_says() -> None:
    event = published(
        ApiTopic.EVENT, b'{"kind": 9123, "when": 5, "index": 1, "context": null, "repeatCount": 2}'
    )
    assert isinstance(event, Event)
    assert (event.kind, event.kind.name, event.kind.range) == (9123, "UNKNOWN_9123", "application")
    assert event.data == {"kind": 9123, "when": 5, "index": 1, "context": None, "repeat_count": 2}


@dialects
def test_a_heartbeat_is_typed(encode: Encode) -> None:
    heartbeat = published(
        ApiTopic.HEARTBEAT, encode({"identifier": "dev", "version": "0.12.0", "timestamp": 1795170627.03})
    )
    assert isinstance(heartbeat, Heartbeat)
    assert (heartbeat.identifier, heartbeat.version, heartbeat.timestamp) == ("dev", "0.12.0", 1795170627.03)
    assert heartbeat.sequences is None


def test_the_numbers_of_a_heartbeat_are_read_and_what_is_none_is_passed_over() -> None:
    heartbeat = published(
        ApiTopic.HEARTBEAT,
        b'{"identifier": "dev", "version": "1", "timestamp": 5, "sequences":'
        b' {"4001": 7, "six": 1, "7": -1, "8": "x", "99999999999": 1, "\\u0664": 1}}',
    )
    assert isinstance(heartbeat, Heartbeat)
    assert heartbeat.sequences == {4001: 7}


@dialects
def test_a_command_result_is_typed(encode: Encode) -> None:
    result = published(
        ApiTopic.COMMAND_RESULT,
        encode({"result": 400, "data": {"some_key": 1}, "error_code": 7, "command": 210, "nonce": 5}),
    )
    assert isinstance(result, CommandResult)
    reply = result.reply
    assert (reply.nonce, reply.command) == (5, ApiCommand.EMERGENCY_RESUME)
    assert (reply.result, reply.error_code) == (ApiCommandRequestResult.FAILED, 7)
    assert reply.data == {"some_key": 1}


def test_a_property_change_is_what_it_says() -> None:
    change = published(ApiTopic.PROPERTY_CHANGE, b'{"someName": 1}')
    assert type(change) is PropertyChange
    assert change.data == {"some_name": 1}


@pytest.mark.parametrize(
    ("payload", "data"),
    [
        (b'{"someName": 1}', {"some_name": 1}),
        (b"[1]", [1]),
        (b"plain text", b"plain text"),
        (b"\xff\x00", b"\xff\x00"),
        (b"", b""),
    ],
)
def test_on_another_topic_anything_is_published(payload: bytes, data: object) -> None:
    assert published(ApiTopic(7), payload) == Published(ApiTopic(7), data, None, None)


def test_a_number_and_its_stream_are_taken_out_of_the_message() -> None:
    message = published(ApiTopic(7), b'{"a": 1, "stream": "s", "sequence": 4}')
    assert message == Published(ApiTopic(7), {"a": 1}, "s", 4)


@pytest.mark.parametrize(
    "stamp",
    [
        b'"stream": "s"',
        b'"sequence": 4',
        b'"stream": 5, "sequence": 4',
        b'"stream": "s", "sequence": 0',
        b'"stream": "s", "sequence": true',
        b'"stream": "s", "sequence": 4.5',
    ],
)
def test_what_is_no_number_with_its_stream_is_the_messages_own(stamp: bytes) -> None:
    message = published(ApiTopic(7), b"{%b}" % stamp)
    assert (message.stream, message.sequence) == (None, None)
    assert message.data


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (ApiTopic.EVENT, b"not json"),
        (ApiTopic.EVENT, b"[]"),
        (ApiTopic.EVENT, b"{}"),
        (ApiTopic.EVENT, b'{"kind": true, "when": 5, "index": 1}'),
        (ApiTopic.EVENT, b'{"kind": 36893488147419103232, "when": 5, "index": 1}'),
        (ApiTopic.EVENT, b'{"kind": 101, "when": "now", "index": 1}'),
        (ApiTopic.EVENT, b'{"kind": 101, "when": 1%b, "index": 1}' % (b"0" * 400)),
        (ApiTopic.EVENT, b'{"kind": 101, "when": 5, "index": null}'),
        (ApiTopic.EVENT, b'{"kind": 101, "when": 5, "index": 1, "context": [1]}'),
        (ApiTopic.HEARTBEAT, b'{"identifier": "dev", "version": "1"}'),
        (ApiTopic.HEARTBEAT, b'{"identifier": 5, "version": "1", "timestamp": 5}'),
        (
            ApiTopic.HEARTBEAT,
            b'{"identifier": "dev", "version": "1", "timestamp": 36893488147419103232}',
        ),
        (ApiTopic.COMMAND_RESULT, b'{"result": 100}'),
        (ApiTopic.PROPERTY_CHANGE, b"5"),
    ],
)
def test_what_does_not_belong_on_its_topic_is_told(topic: ApiTopic, payload: bytes) -> None:
    with pytest.raises(DecodeError):
        published(topic, payload)


@given(st.sampled_from(ApiTopic), st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_any_payload_is_typed_or_refused(topic: ApiTopic, payload: bytes) -> None:
    try:
        message = published(topic, payload)
    except DecodeError:
        assert topic != ApiTopic.ANY
    else:
        assert message.topic == topic
