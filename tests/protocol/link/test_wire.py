"""Frames, as they are written and read."""

import json
import math

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from aip_trio.errors import DecodeError, InvalidMessage, LinkFault
from aip_trio.protocol import SUBPROTOCOLS
from aip_trio.protocol.link._frames import Ack, BatchFrame, Bye, Frame, Gone, Hello, Welcome
from aip_trio.protocol.link._wire import Wire, wire_of
from tests.protocol.link.links import JSON, MSGPACK


def wire(subprotocol: str) -> Wire:
    found = wire_of(subprotocol)
    assert found is not None
    return found


WIRES = pytest.mark.parametrize("wire", [wire(JSON), wire(MSGPACK)], ids=[JSON, MSGPACK])

numbers = st.integers(0, 2**63 - 1)
words = st.text(max_size=128)
texts = st.text(max_size=1000)
controls: st.SearchStrategy[Frame] = st.one_of(
    st.builds(Hello, session=words, secret=words, seen=numbers),
    st.builds(
        Welcome,
        session=st.text(min_size=1, max_size=128),
        secret=words,
        window=st.floats(0, 1e300),
        seen=numbers,
    ),
    st.builds(Gone, reason=texts),
    st.builds(Ack, ack=numbers),
    st.builds(Bye, code=st.integers(1000, 4999), reason=texts),
)
lines = st.binary(max_size=200).map(lambda data: data.replace(b"\n", b""))


@WIRES
@given(frame=controls)
def test_what_is_written_is_what_is_read(wire: Wire, frame: Frame) -> None:
    assert wire.read(wire.frame(frame)) == frame


@WIRES
@given(seq=st.integers(1, 2**63 - 1), ack=numbers, messages=st.lists(lines, min_size=1, max_size=256))
def test_messages_go_as_they_are(wire: Wire, seq: int, ack: int, messages: list[bytes]) -> None:
    assert wire.read(wire.batch(seq, ack, messages)) == BatchFrame(seq, ack, messages)


def refusal(wire: Wire, data: bytes) -> str:
    """Why these bytes are no frame; empty where they are one."""
    try:
        wire.read(data)
    except (DecodeError, LinkFault) as error:
        return str(error)
    return ""


@WIRES
@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_a_clear_refusal(wire: Wire, data: bytes) -> None:
    told = refusal(wire, data)
    assert "\n" not in told
    assert len(told) < 500


@WIRES
@given(frame=controls, at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_frame_with_a_damaged_byte_too(wire: Wire, frame: Frame, at: int, byte: int) -> None:
    data = bytearray(wire.frame(frame))
    data[at % len(data)] = byte
    assert len(refusal(wire, bytes(data))) < 500


def test_a_plain_program_can_read_and_write_them_as_text() -> None:
    here = wire(JSON)
    head, *messages = here.batch(7, 3, [b'{"a":1}', b'{"b":2}']).decode().split("\n")
    assert json.loads(head) == {"t": "b", "s": 7, "a": 3}
    assert [json.loads(message) for message in messages] == [{"a": 1}, {"b": 2}]
    assert json.loads(here.frame(Ack(5))) == {"t": "a", "a": 5}
    assert json.loads(here.frame(Hello())) == {"t": "hello"}
    assert here.read(b'{"t": "hello", "session": "s", "secret": "x", "seen": 4, "new": [1]}') == Hello(
        "s", "x", 4
    )


def test_frames_in_messagepack_are_no_text() -> None:
    here = wire(MSGPACK)
    for data in (here.frame(Hello()), here.batch(1, 0, [b"x"])):
        with pytest.raises(UnicodeDecodeError):
            data.decode()
    assert msgspec.msgpack.decode(here.batch(1, 0, [b"x"])) == {"t": "b", "s": 1, "m": [b"x"]}


@pytest.mark.parametrize("subprotocol", ["aip.v1", None, "soap"])
def test_other_subprotocols_have_no_links(subprotocol: str | None) -> None:
    assert wire_of(subprotocol) is None
    assert [name for name in SUBPROTOCOLS if wire_of(name)] == [JSON, MSGPACK]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"", "$"),
        (b"hello", "$"),
        (b"\xff", "$"),
        (b"{" * 10, "$"),
        (b'{"x":' * 100_000, "$"),
        (b'{"a":1}', "$"),
        (b'{"t":"soap"}', "$.t"),
        (b'{"t":"a","a":-1}', "$.a"),
        (b'{"t":"a","a":true}', "$.a"),
        (b'{"t":"a","a":9223372036854775808}', "$.a"),
        (b'{"t":"b","s":0}\nx', "$.s"),
        (b'{"t":"b","s":"1"}\nx', "$.s"),
        (b'{"t":"hello","session":"%s"}' % (b"x" * 129), "$.session"),
        (b'{"t":"welcome","session":"","secret":"","window":1}', "$.session"),
        (b'{"t":"welcome","session":"s","secret":"","window":-1}', "$.window"),
        (b'{"t":"bye","code":999}', "$.code"),
        (b'{"t":"gone","reason":"%s"}' % (b"x" * 1001), "$.reason"),
    ],
)
def test_what_is_wrong_is_named_in_json(data: bytes, path: str) -> None:
    with pytest.raises(DecodeError) as raised:
        wire(JSON).read(data)
    (fault,) = raised.value.faults
    assert fault.endswith(f" @ {path}")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"t": "a", "a": -1}, "$.a"),
        ({"t": "b", "s": 1, "m": ["text"]}, "$.m[0]"),
        ({"t": "b", "s": 1, "m": [b""] * 257}, "$.m"),
        ({"t": "welcome", "session": "s", "secret": "", "window": math.nan}, "$.window"),
        ([1], "$"),
    ],
)
def test_what_is_wrong_is_named_in_messagepack(value: object, path: str) -> None:
    with pytest.raises(DecodeError) as raised:
        wire(MSGPACK).read(msgspec.msgpack.encode(value))
    (fault,) = raised.value.faults
    assert fault.endswith(f" @ {path}")


@pytest.mark.parametrize(
    ("data", "member"),
    [
        (b'{"t":"b","s":1}', "m"),
        (b'{"t":"b","s":1}' + b"\nx" * 257, "m"),
        (b'{"t":"b","s":1}' + b"\n" * 50_000_000, "m"),
        (b'{"t":"a","a":1}\nx', "t"),
    ],
    ids=["none", "too-many", "far-too-many", "not-a-batch"],
)
def test_the_number_of_lines_is_checked(data: bytes, member: str) -> None:
    with pytest.raises(LinkFault) as raised:
        wire(JSON).read(data)
    assert raised.value.member == member


def test_a_batch_of_nothing_is_refused_in_messagepack() -> None:
    with pytest.raises(LinkFault, match="no message"):
        wire(MSGPACK).read(msgspec.msgpack.encode({"t": "b", "s": 1}))


def test_what_nests_deep_is_carried_and_left_to_its_reader() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    here = wire(JSON)
    frame = here.read(here.batch(1, 0, [b"{}", deep]))
    assert isinstance(frame, BatchFrame)
    assert frame.messages == [b"{}", deep]


@settings(max_examples=30)
@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_over_several_lines_fits_and_means_the_same(value: object) -> None:
    pretty = json.dumps(value, indent=1).encode()
    fitted = wire(JSON).fit(pretty)
    assert b"\n" not in fitted
    assert json.loads(fitted) == value
    assert wire(MSGPACK).fit(pretty) == pretty


@pytest.mark.parametrize("data", [b"\n", b"one\ntwo", b'"a\nb"', b"[" * 100_000 + b"\n"])
def test_other_lines_do_not_fit_in_json(data: bytes) -> None:
    with pytest.raises(InvalidMessage, match="is no JSON"):
        wire(JSON).fit(data)


def test_secrets_are_in_no_repr() -> None:
    for frame in (Hello("s", "hunter2", 1), Welcome("s", "hunter2", 1.0, 1)):
        assert "hunter2" not in repr(frame)
        assert "hunter2" not in str(frame)
