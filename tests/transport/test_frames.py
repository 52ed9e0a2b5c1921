"""Frames beside wsproto's, in both directions; and what is refused."""

from itertools import pairwise
from typing import Protocol

import pytest
from hypothesis import given, strategies as st
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.frame_protocol import CloseReason

from aip_trio.errors import ConnectionLost, MessageTooLarge
from aip_trio.transport._codec import Closed, Codec, Frame, FrameFault, Pinged, Ponged
from aip_trio.transport._frames import Frames
from aip_trio.transport._websockets_frames import WebsocketsFrames

LIMIT = 1 << 20

binaries = st.one_of(st.binary(max_size=150), st.sampled_from([125, 126, 127, 1000]).map(bytes))
texts = st.one_of(st.text(max_size=60), st.sampled_from([62, 63, 500]).map(lambda length: "é" * length))
controls = st.binary(max_size=125)
codes = st.sampled_from([1000, 1001, 1002, 1003, 1007, 1009, 1011, 3000, 4999])


class Make(Protocol):
    """Makes a codec whose handshake is done."""

    def __call__(self, *, client: bool, max_size: int, received: bytes = b"") -> Codec: ...


def by_websockets(*, client: bool, max_size: int, received: bytes = b"") -> WebsocketsFrames:
    protocol = (
        ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=max_size)
        if client
        else ServerProtocol(state=State.OPEN, max_size=max_size)
    )
    return WebsocketsFrames(protocol, max_size=max_size, received=received)


codecs = pytest.mark.parametrize("codec", [Frames, by_websockets], ids=["native", "websockets"])


def parts(data: bytes, cuts: list[int]) -> list[bytes]:
    """The same bytes, as they may come over a network."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def read(frames: Codec, data: list[bytes]) -> list[Frame]:
    got: list[Frame] = []
    for part in data:
        frames.feed(part)
        while (frame := frames.next()) is not None:
            got.append(frame)
    return got


def as_frame(event: Event) -> Frame:
    """What wsproto's event is here."""
    match event:
        case TextMessage(data=data):
            return data.encode(), True
        case BytesMessage(data=data):
            return bytes(data), False
        case Ping(payload=payload):
            return Pinged(bytes(payload))
        case Pong(payload=payload):
            return Ponged(bytes(payload))
        case CloseConnection(code=code, reason=reason):
            return Closed(int(code), reason or "")
        case _:
            raise AssertionError(event)


events = st.one_of(
    st.builds(TextMessage, texts),
    st.builds(BytesMessage, binaries),
    st.builds(Ping, controls),
    st.builds(Pong, controls),
)
both_sides = pytest.mark.parametrize("client", [True, False], ids=["as-client", "as-server"])


@codecs
@both_sides
@given(sent=st.lists(events, max_size=8), cuts=st.lists(st.integers(0, 1 << 20), max_size=20))
def test_what_wsproto_sends_is_read(codec: Make, client: bool, sent: list[Event], cuts: list[int]) -> None:
    peer = Connection(ConnectionType.SERVER if client else ConnectionType.CLIENT)
    wire = b"".join(peer.send(event) for event in sent)
    assert read(codec(client=client, max_size=LIMIT), parts(wire, cuts)) == list(map(as_frame, sent))


@codecs
@both_sides
@given(sent=st.lists(events, max_size=8))
def test_what_is_sent_wsproto_reads(codec: Make, client: bool, sent: list[Event]) -> None:
    frames = codec(client=client, max_size=LIMIT)
    peer = Connection(ConnectionType.SERVER if client else ConnectionType.CLIENT)
    got: list[Frame] = []
    for event in sent:
        peer.receive_data(write(frames, as_frame(event)))
        got += map(as_frame, peer.events())
    assert got == list(map(as_frame, sent))


def write(frames: Codec, frame: Frame) -> bytes:
    match frame:
        case (data, text):
            return frames.text(data) if text else frames.binary(data)
        case Pinged(payload):
            return frames.ping(payload)
        case Ponged(payload):
            return frames.pong(payload)
        case Closed(code, reason):
            return frames.close(code, reason)


@codecs
@both_sides
@given(code=codes, reason=st.text(max_size=200))
def test_a_close_frame_both_ways(codec: Make, client: bool, code: int, reason: str) -> None:
    frames = codec(client=client, max_size=LIMIT)
    peer = Connection(ConnectionType.SERVER if client else ConnectionType.CLIENT)
    peer.receive_data(frames.close(code, reason))
    (event,) = peer.events()
    assert isinstance(event, CloseConnection)
    assert event.code == code
    assert reason.startswith(event.reason or "")
    assert len((event.reason or "").encode()) >= min(len(reason.encode()), 120)
    (closed,) = read(frames, [peer.send(event.response())])
    assert closed == Closed(code, event.reason or "")


@codecs
@both_sides
def test_a_close_frame_without_a_code(codec: Make, client: bool) -> None:
    frames = codec(client=client, max_size=LIMIT)
    peer = Connection(ConnectionType.SERVER if client else ConnectionType.CLIENT)
    peer.receive_data(frames.close(1005, ""))
    (event,) = peer.events()
    assert isinstance(event, CloseConnection)
    assert event.code == 1005
    assert read(frames, [peer.send(CloseConnection(CloseReason.NO_STATUS_RCVD))]) == [Closed(1005, "")]


@codecs
@both_sides
@given(
    pieces=st.lists(st.text(max_size=40), min_size=1, max_size=10),
    text=st.booleans(),
    ping=st.booleans(),
    cuts=st.lists(st.integers(0, 1 << 20), max_size=20),
)
def test_a_message_in_pieces_with_pings_between(
    codec: Make, client: bool, pieces: list[str], text: bool, ping: bool, cuts: list[int]
) -> None:
    peer = Connection(ConnectionType.SERVER if client else ConnectionType.CLIENT)
    wire = b""
    for number, piece in enumerate(pieces, 1):
        last = number == len(pieces)
        wire += peer.send(
            TextMessage(piece, message_finished=last)
            if text
            else BytesMessage(piece.encode(), message_finished=last)
        )
        if ping:
            wire += peer.send(Ping(b"%d" % number))
    got = read(codec(client=client, max_size=LIMIT), parts(wire, cuts))
    assert [frame for frame in got if isinstance(frame, tuple)] == [("".join(pieces).encode(), text)]
    assert len(got) == 1 + len(pieces) * ping


def raw(first: int, payload: bytes) -> bytes:
    """A frame as a server would send it, whatever its first byte says."""
    if len(payload) < 126:
        return bytes((first, len(payload))) + payload
    return bytes((first, 126)) + len(payload).to_bytes(2) + payload


first_bytes = st.one_of(
    st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x88, 0x89, 0x8A]), st.integers(0, 255)
)


@codecs
@given(sent=st.lists(st.tuples(first_bytes, st.binary(max_size=130)), max_size=6))
def test_whole_frames_of_any_kind_are_judged_as_wsproto_does(
    codec: Make, sent: list[tuple[int, bytes]]
) -> None:
    peer = Connection(ConnectionType.CLIENT)
    frames = codec(client=True, max_size=LIMIT)
    for first, payload in sent:
        peer.receive_data(raw(first, payload))
        theirs = list(peer.events())
        code = next((event.code for event in theirs if isinstance(event, CloseConnection)), None)
        is_fault = code is not None and peer.state is ConnectionState.OPEN
        ours: list[Frame] = []
        fault: int | None = None
        try:
            ours = read(frames, [raw(first, payload)])
        except FrameFault as error:
            fault = error.code
        if fault is not None:
            if codec is by_websockets and {fault, code} == {1002, 1007}:  # two faults in one frame
                return
            assert (is_fault, fault) == (True, code)
            return
        if is_fault:  # in a text that goes on: wsproto decodes as it comes, we when it is complete
            assert (code, first & 0x80) == (1007, 0)
            return
        if code is not None:
            assert ours == [as_frame(theirs[0])]
            return
        assert [frame for frame in ours if not isinstance(frame, tuple)] == [
            as_frame(event) for event in theirs if isinstance(event, (Ping, Pong))
        ]


@codecs
@both_sides
@pytest.mark.parametrize("length", [65535, 65536, 200_000])
def test_long_messages_both_ways(codec: Make, client: bool, length: int) -> None:
    message = bytes(i % 251 for i in range(length))
    frames = codec(client=client, max_size=LIMIT)
    peer = Connection(ConnectionType.SERVER if client else ConnectionType.CLIENT)
    wire = peer.send(BytesMessage(message))
    assert read(frames, parts(wire, list(range(0, len(wire), 999)))) == [(message, False)]
    peer.receive_data(frames.binary(message))
    assert b"".join(event.data for event in peer.events() if isinstance(event, BytesMessage)) == message


def header(first: int, second: int, rest: bytes = b"") -> bytes:
    return bytes((first, second)) + rest


LENGTHS = (
    header(0x89, 126, b"\x00\x7e"),  # a ping of 126 bytes
    header(0x82, 126, b"\x00\x7d"),  # in too many bytes
    header(0x82, 127, bytes(6) + b"\xff\xff"),
    header(0x82, 127, b"\xff" * 8),  # more than there are
)


@codecs
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (header(0xC1, 0), 1002),  # compressed: nobody agreed on that
        (header(0x83, 0), 1002),  # no such opcode
        (header(0x8B, 0), 1002),
        (header(0x09, 0), 1002),  # a ping in pieces
        *((data, 1002) for data in LENGTHS),
        (header(0x80, 0), 1002),  # continues nothing
        (header(0x01, 0) + header(0x81, 0), 1002),  # begins in the middle of another
        (header(0x81, 0x80, bytes(4)), 1002),  # a server that masks
        (header(0x81, 1, b"\xff"), 1007),
        (header(0x01, 1, b"\xc3") + header(0x80, 1, b"("), 1007),
        (header(0x88, 1, b"\x03"), 1002),
        (header(0x88, 2, b"\x03\xed"), 1002),  # 1005 is never sent
        (header(0x88, 2, b"\x03\xe7"), 1002),  # 999
        (header(0x88, 2, b"\x13\x88"), 1002),  # 5000
        (header(0x88, 3, b"\x03\xe8\xff"), 1007),
        (header(0x82, 101), 1009),
        (header(0x02, 60, bytes(60)) + header(0x80, 41), 1009),
        (header(0x82, 127, b"\x7f" + b"\xff" * 7), 1009),
    ],
)
def test_what_breaks_the_protocol_is_refused_with_its_code(codec: Make, data: bytes, code: int) -> None:
    frames = codec(client=True, max_size=100)
    with pytest.raises(FrameFault) as raised:
        read(frames, parts(data, list(range(len(data)))))
    if codec is by_websockets and data in LENGTHS:  # which looks at their size alone
        code = 1009
    assert raised.value.code == code
    error = raised.value.error
    if code == 1009:
        assert isinstance(error, MessageTooLarge)
        assert error.limit == 100
        assert error.size > 100
    else:
        assert isinstance(error, ConnectionLost)
        assert error.code == code


@codecs
def test_an_unmasked_frame_from_a_client_is_refused(codec: Make) -> None:
    with pytest.raises(FrameFault, match="mask"):
        read(codec(client=False, max_size=100), [header(0x81, 0)])


@codecs
@pytest.mark.parametrize("character", ["x", "é", "€", "😀"])
def test_the_limit_counts_bytes(codec: Make, character: str) -> None:
    peer = codec(client=False, max_size=LIMIT)
    count = 120 // len(character.encode())
    assert read(codec(client=True, max_size=120), [peer.text((character * count).encode())])
    with pytest.raises(FrameFault):
        read(codec(client=True, max_size=120), [peer.text((character * (count + 1)).encode())])


@codecs
def test_empty_pieces_take_no_room(codec: Make) -> None:
    frames = codec(client=True, max_size=100)
    read(frames, [header(0x02, 0)])
    for _ in range(50):
        read(frames, [header(0x00, 0) * 1000])
    assert read(frames, [header(0x80, 1, b"x")]) == [(b"x", False)]


@codecs
def test_what_came_with_the_handshake_is_read_first(codec: Make) -> None:
    frames = codec(client=True, max_size=100, received=header(0x81, 2, b"hi") + b"\x81")
    assert frames.next() == (b"hi", True)
    assert frames.next() is None
    assert read(frames, [b"\x02ho"]) == [(b"ho", True)]


@codecs
def test_masks_differ_from_frame_to_frame(codec: Make) -> None:
    frames = codec(client=True, max_size=100)
    assert len({frames.binary(b"same") for _ in range(20)}) == 20
