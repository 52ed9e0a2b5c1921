"""What the published programs sent, and what they were sent that was wrong."""

import json

import pytest

from aip_trio.errors import DecodeError
from aip_trio.messages import (
    ClientMessage,
    Codec,
    Format,
    ServerMessage,
    narrow_client,
    narrow_server,
    widen_client,
    widen_server,
)
from tests.messages.frames import INVALID, VALID, Frame


@pytest.mark.parametrize("frame", VALID, ids=repr)
def test_what_is_written_says_what_was_read(frame: Frame) -> None:
    codec = Codec(frame.model)
    message = codec.decode(frame.json.encode(), frame.model)
    written = codec.encode(message)
    assert json.loads(written) == json.loads(frame.json)  # every field, null where it is unset
    assert codec.decode(written, frame.model) == message


@pytest.mark.parametrize("frame", VALID, ids=repr)
def test_the_methods_that_programs_call_say_the_same(frame: Frame) -> None:
    message = frame.model.model_validate_json(frame.json)
    assert json.loads(message.model_dump_json()) == json.loads(frame.json)
    assert message.model_dump() == json.loads(frame.json)
    assert list(message.model_dump()) == list(json.loads(frame.json))  # in this order
    assert frame.model.model_validate(message.model_dump()) == message


@pytest.mark.parametrize("frame", VALID, ids=repr)
def test_messagepack_says_the_same(frame: Frame) -> None:
    codec = Codec(frame.model, format=Format.MSGPACK)
    message = frame.model.model_validate_json(frame.json)
    written = codec.encode(message)
    assert codec.plain(written) == json.loads(frame.json)
    assert codec.decode(written, frame.model) == message


@pytest.mark.parametrize("frame", [one for one in VALID if one.model is ClientMessage], ids=repr)
def test_nothing_of_a_clients_message_is_lost_in_its_narrow_class(frame: Frame) -> None:
    wide = ClientMessage.model_validate_json(frame.json)
    narrow = narrow_client(wide)
    assert widen_client(narrow, timestamp=wide.timestamp, client_type=wide.client_type) == wide


@pytest.mark.parametrize("frame", [one for one in VALID if one.model is ServerMessage], ids=repr)
def test_nothing_of_a_servers_message_is_lost_in_its_narrow_class(frame: Frame) -> None:
    wide = ServerMessage.model_validate_json(frame.json)
    assert widen_server(narrow_server(wide), timestamp=wide.timestamp) == wide


#: Of each invalid frame, what its error has to say.
FAULTS = {
    "not json": "is no JSON: Input data was truncated @ $",
    "wrong enum": "got 'bogus' @ $.type",
    "missing status": "is required @ $.status",
    "wrong field type": "expected a string, got 7 @ $.client_id",
    "bad action": "is required @ $.actions[0].tool_type",
    "bad tool type": "expected one of action, data_collection, got 'delete' @ $.actions[0].tool_type",
    "array": "expected an object, got an array @ $",
    "null": "expected an object, got null @ $",
    "nul byte": "is no JSON: JSON is malformed: invalid character (byte 0) @ $",
}


@pytest.mark.parametrize("frame", INVALID, ids=repr)
def test_what_is_wrong_is_said_with_its_field(frame: Frame) -> None:
    codec = Codec(frame.model)
    with pytest.raises(DecodeError) as raised:
        codec.decode(frame.json.encode(), frame.model)
    (fault,) = raised.value.faults
    assert fault.endswith(FAULTS[frame.name])
    assert raised.value.wanted == frame.model.__name__
