"""The codec's limits, and what it refuses to write and to read."""

import sys
from typing import Any, assert_type

import attrs
import msgspec
import pytest

from aip_trio.errors import DecodeError, EncodeError, InvalidSpec, InvalidWireClass
from aip_trio.messages import (
    MAX_SIZE,
    ClientMessage,
    ClientMessageType,
    ClientType,
    Codec,
    Command,
    Format,
    Result,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    ToolType,
)

JSON = Codec(ClientMessage, ServerMessage)
MSGPACK = Codec(ClientMessage, ServerMessage, format=Format.MSGPACK)
BOTH = pytest.mark.parametrize("codec", [JSON, MSGPACK], ids=["JSON", "MessagePack"])


def ended(result: Any) -> ServerMessage:
    """A message that carries any value."""
    return ServerMessage(type=ServerMessageType.TASK_END, status=TaskStatus.COMPLETED, result=result)


def refusal(data: bytes, codec: Codec = JSON) -> tuple[str, ...]:
    """What is wrong with a client's message."""
    with pytest.raises(DecodeError) as raised:
        codec.decode(data, ClientMessage)
    assert raised.value.wanted == "ClientMessage"
    assert "\n" not in str(raised.value)
    return raised.value.faults


def outcome(data: bytes) -> tuple[str, ...] | None:
    """What is wrong with a client's message, if anything is."""
    try:
        JSON.decode(data, ClientMessage)
    except DecodeError as error:
        return error.faults
    return None


# Reading


def test_a_message_is_read_as_the_class_that_is_wanted() -> None:
    message = JSON.decode(b'{"type":"heartbeat","status":"ok"}', ClientMessage)
    assert_type(message, ClientMessage)
    assert message == ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK)


@BOTH
def test_unknown_fields_are_passed_over(codec: Codec) -> None:
    write = msgspec.json.encode if codec.format is Format.JSON else msgspec.msgpack.encode
    data = write({"type": "heartbeat", "status": "ok", "version": [2], "task_id": None})
    assert codec.decode(data, ClientMessage).type is ClientMessageType.HEARTBEAT


def test_a_null_is_the_same_as_an_absent_field() -> None:
    message = JSON.decode(b'{"type":"task","status":"ok","client_type":null,"request":null}', ClientMessage)
    assert message.client_type is ClientType.DEVICE
    assert message == JSON.decode(b'{"type":"task","status":"ok"}', ClientMessage)
    assert refusal(b'{"type":"task","status":null}') == ("is required @ $.status",)


def test_a_null_within_a_value_is_kept() -> None:
    data = b'{"type":"task","status":"ok","client_type":null,"metadata":{"a":null,"type":null}}'
    assert JSON.decode(data, ClientMessage).metadata == {"a": None, "type": None}


def test_every_fault_is_listed_with_its_path() -> None:
    data = msgspec.json.encode(
        {
            "type": None,
            "status": "okay",
            "client_id": ["a"],
            "action_results": [{"status": "success", "error": 1}, 3, {}],
            "metadata": [],
        }
    )
    assert refusal(data) == (
        "is required @ $.type",
        "expected one of continue, completed, failed, ok, error, got 'okay' @ $.status",
        "expected a string, got an array @ $.client_id",
        "expected a string, got 1 @ $.action_results[0].error",
        "expected an object, got 3 @ $.action_results[1]",
        "is required @ $.action_results[2].status",
        "expected an object, got an array @ $.metadata",
    )


def test_names_that_are_no_text_are_faults() -> None:
    register = {"type": "register", "status": "ok"}
    data = msgspec.msgpack.encode({**register, "metadata": {"a": 1, 2: 3, b"x": 4}})
    assert refusal(data, MSGPACK) == (
        "expected a string, got 2 @ $.metadata[2]",
        "expected a string, got b'x' @ $.metadata[b'x']",
    )
    data = msgspec.msgpack.encode({**register, 7: 1})
    assert refusal(data, MSGPACK) == ("expected strings for names, got 7 @ $",)


def test_of_very_many_faults_the_first_are_listed() -> None:
    many = refusal(b'{"type":"task","status":"ok","action_results":[' + b",".join([b"{}"] * 1000) + b"]}")
    assert many[:2] == (
        "is required @ $.action_results[0].status",
        "is required @ $.action_results[1].status",
    )
    assert many[20:] == ("more than 20 faults @ $",)


def test_what_the_peer_wrote_is_cut() -> None:
    long = b"x" * 100_000
    faults = refusal(
        b'{"type":"' + long + b'","status":"ok","client_id":7,"metadata":{"' + long + b'":[]},"error":[]}'
    )
    assert len(faults) == 3
    assert max(map(len, faults)) <= 300


def test_of_a_very_long_message_the_first_fault_alone_is_named() -> None:
    def wrong(size: int) -> bytes:
        start, end = b'{"type":"task","status":"ok","client_id":7,"request":"', b'","error":7}'
        return start + b"x" * (size - len(start) - len(end)) + end

    assert len(refusal(wrong(256 * 1024))) == 2
    assert refusal(wrong(256 * 1024 + 1)) == ("Expected `str | null`, got `int` @ $.client_id",)


@BOTH
def test_a_message_of_max_size_is_read_and_one_byte_more_is_not_even_looked_at(codec: Codec) -> None:
    message = ended("x" * 100)
    data = codec.encode(message)
    exact = Codec(ServerMessage, format=codec.format, max_size=len(data))
    assert exact.decode(exact.encode(message), ServerMessage) == message
    for read in (
        lambda: exact.decode(b"\xc1" * (len(data) + 1), ServerMessage),
        lambda: exact.plain(data + b"x"),
    ):
        with pytest.raises(DecodeError) as raised:
            read()
        (fault,) = raised.value.faults
        assert fault == f"is {len(data) + 1:,} bytes long, more than max_size={len(data):,} @ $"


def test_max_size_is_100_mib_unless_said_otherwise() -> None:
    assert JSON.max_size == MAX_SIZE == 104_857_600


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"task","status":"ok","metadata":' + b'{"a":' * 100_000,
        b'{"type":"task","status":"ok","client_type":null,"metadata":{"a":' + b"[" * 100_000,
        b'{"ignored":' + b"[" * 100_000,
    ],
    ids=["metadata", "after a null", "ignored"],
)
def test_what_nests_too_deep_is_refused(data: bytes) -> None:
    (fault,) = refusal(data)
    assert fault == "nests too deep @ $"


def test_messagepack_that_nests_too_deep_is_refused() -> None:
    (fault,) = refusal(b"\x81\xa8metadata" + b"\x91" * 100_000, MSGPACK)
    assert fault == "nests too deep @ $"


def test_what_nests_as_deep_as_the_stack_allows_is_a_message_or_a_decode_error() -> None:
    for depth in range(sys.getrecursionlimit() // 2, sys.getrecursionlimit() + 50, 25):
        for wrong in (b"", b'"error":7,'):
            value = b"[" * depth + b"]" * depth
            data = b'{"type":"task","status":"ok",' + wrong + b'"metadata":{"a":' + value + b"}}"
            assert outcome(data) in (
                None,
                ("nests too deep @ $",),
                ("expected a string, got 7 @ $.error",),
            )


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is no JSON: Input data was truncated @ $"),
        (b"{} {}", "is no JSON: JSON is malformed: trailing characters (byte 4) @ $"),
        (b'{"type":"\xff"}', "is no JSON: 'utf-8' codec can't decode byte 0xff in position 0"),
        (b'{"type":"task","status":"ok","metadata":{"a":1e999}}', "Number out of range @ $.metadata[...]"),
        (b'{"type":"task","status":"ok","metadata":{"a":NaN}}', "is no JSON"),
        (b'{"type":7,"status":', "is no JSON: Input data was truncated @ $"),
    ],
)
def test_what_is_no_json_is_said_to_be_none(data: bytes, fault: str) -> None:
    (found,) = refusal(data)
    assert fault in found


# Writing


@BOTH
def test_every_field_is_written_and_null_where_it_is_unset(codec: Codec) -> None:
    message = ClientMessage(type=ClientMessageType.REGISTER, status=TaskStatus.OK)
    written = codec.plain(codec.encode(message))
    assert written == message.model_dump()
    assert set(written) == {field.name for field in attrs.fields(ClientMessage)}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": [1, object()]}, "Encoding objects of type object is unsupported @ $.result['a'][1]; "),
        ({(1, 2): 3}, "Only dicts with str-like or number-like keys are supported @ $.result; "),
        (["\ud800"], "surrogates not allowed @ $.result[0]; "),
        (1j, "Encoding objects of type complex is unsupported @ $.result; "),
        (
            {"deep": ended({"er": {"x": ...}})},
            "of type ellipsis is unsupported @ $.result['deep'].result['er']['x']",
        ),
    ],
)
def test_what_has_no_form_in_json_is_refused_with_its_path(value: object, reason: str) -> None:
    with pytest.raises(EncodeError) as raised:
        JSON.encode(ended(value))
    assert raised.value.message_class == "ServerMessage"
    assert reason in raised.value.reason


def test_what_has_no_form_in_messagepack_is_refused_with_its_path() -> None:
    with pytest.raises(EncodeError, match=r"ints.* @ \$\.result\[1\]; "):
        MSGPACK.encode(ended([1, 2**64]))


@BOTH
def test_what_holds_itself_is_refused(codec: Codec) -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(EncodeError, match="nests too deep, or holds itself; "):
        codec.encode(ended(loop))


def test_the_search_for_what_cannot_be_written_ends_where_a_value_holds_itself() -> None:
    # Slots are written in the alphabet's order: "parameters" fails before the loop in "tool_name" is reached.
    loop: Any = []
    command = Command(tool_name=loop, parameters={"bad": ...}, tool_type=ToolType.ACTION)
    loop.append(command)
    with pytest.raises(EncodeError, match=r" @ \$\.result\.tool_name\[0\]"):
        JSON.encode(ended(command))


def test_the_search_for_what_cannot_be_written_passes_what_holds_itself() -> None:
    loop: Any = []
    loop.append(loop)
    with pytest.raises(EncodeError, match=r"ellipsis is unsupported @ \$\.result\.parameters\['bad'\]; "):
        JSON.encode(ended(Command(tool_name=loop, parameters={"bad": ...}, tool_type=ToolType.ACTION)))


@BOTH
def test_a_message_that_is_too_large_is_not_written(codec: Codec) -> None:
    small = Codec(ServerMessage, format=codec.format, max_size=200)
    with pytest.raises(EncodeError, match=r"takes [\d,]+ bytes, more than max_size=200; "):
        small.encode(ended("x" * 200))


def test_nan_becomes_null_in_json_alone() -> None:
    nan = float("nan")
    assert JSON.decode(JSON.encode(ended([nan, float("inf")])), ServerMessage).result == [None, None]
    (read,) = MSGPACK.decode(MSGPACK.encode(ended([nan])), ServerMessage).result
    assert read != read


# The caller's mistakes


def test_classes_that_a_codec_was_not_given_are_refused() -> None:
    result = Result(status="success")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    for call in (
        lambda: JSON.encode(result),
        lambda: JSON.decode(b"{}", Result),
        lambda: JSON.convert({}, Result),
    ):
        with pytest.raises(
            InvalidWireClass, match=r"Result'>: is none of this codec's \(ClientMessage, ServerMessage\); "
        ):
            call()


@pytest.mark.parametrize("max_size", [0, -1, 1.5, None])
def test_a_max_size_that_is_no_number_of_bytes_is_refused(max_size: Any) -> None:
    with pytest.raises(InvalidSpec, match=r"Codec\.max_size"):
        Codec(ClientMessage, max_size=max_size)


def test_a_format_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSpec, match=r"Codec\.format='json'"):
        Codec(ClientMessage, format="json")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_codec_shows_what_it_is_for() -> None:
    assert repr(MSGPACK) == "Codec(ClientMessage, ServerMessage, format=Format.MSGPACK, max_size=104857600)"
