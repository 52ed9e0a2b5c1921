"""The wire of a connection over ZeroMQ, without I/O."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import ConnectionLost, MessageTooLarge
from aip_trio.transport._codec import Closed, FrameFault, Pinged, Ponged
from aip_trio.transport._codes import may_be_sent
from aip_trio.transport.zeromq._wire import (
    VERSION,
    Announced,
    Data,
    Gone,
    Hello,
    Oversize,
    Refused,
    Saying,
    Taken,
    Welcome,
    read,
    write,
)

LIMIT = 1000

marks = st.binary(min_size=8, max_size=8)
maybe_marks = st.one_of(st.just(b""), marks)
short = st.binary(max_size=LIMIT)
texts = st.text(max_size=200).map(str.encode)
sizes = st.integers(4096, 2**53)
codes = st.integers(0, 65535).filter(may_be_sent)
pairs = st.tuples(st.text(max_size=20), st.text(max_size=20))

sayings: st.SearchStrategy[Saying] = st.one_of(
    st.builds(Data, texts, st.just(True), maybe_marks),
    st.builds(Data, short, st.just(False), maybe_marks),
    st.builds(Announced, texts, short, maybe_marks),
    st.builds(Taken, marks),
    st.builds(Pinged, st.binary(max_size=125)),
    st.builds(Ponged, st.binary(max_size=125)),
    st.builds(Closed, codes, st.text(max_size=30)),
    st.just(Gone()),
    st.builds(Hello, st.just(VERSION), st.lists(st.text(max_size=9)), st.lists(pairs), sizes, sizes),
    st.builds(Welcome, st.just(VERSION), st.none() | st.text(max_size=9), sizes, sizes),
    st.builds(Refused, st.integers(400, 599), st.text(max_size=30)),
)


def outcome(frames: list[bytes]) -> Saying | FrameFault:
    """What is made of them."""
    try:
        return read(frames, LIMIT)
    except FrameFault as fault:
        return fault


@given(sayings)
def test_what_is_written_is_read(saying: Saying) -> None:
    assert read(write(saying), LIMIT) == saying


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4))
def test_whatever_comes_is_a_saying_or_a_fault(frames: list[bytes]) -> None:
    read_or_fault = outcome(frames)
    if isinstance(read_or_fault, FrameFault):
        assert may_be_sent(read_or_fault.code)
        assert read_or_fault.reason
    else:
        assert read(write(read_or_fault), LIMIT) == read_or_fault


@given(sayings, st.integers(0, 3), st.binary(min_size=1, max_size=9))
def test_a_frame_too_many_is_a_fault(saying: Saying, place: int, more: bytes) -> None:
    frames = write(saying)
    frames.insert(min(1 + place, len(frames)), more)
    read_or_fault = outcome(frames)
    if isinstance(read_or_fault, FrameFault):
        assert isinstance(read_or_fault.error, ConnectionLost | MessageTooLarge)
    else:
        assert read_or_fault != saying


@pytest.mark.parametrize(
    "frames",
    [
        [b"H", b"{}"],
        [b"H", b"\xff"],
        [b"H", b"[" * 100_000],
        [b"H", b" " * 70_000],
        [b"H", b'{"version":1,"subprotocols":"aip.v1","headers":[],"window":1048576,"max_size":1}'],
        [b"H", b'{"version":2,"subprotocols":[],"headers":[],"window":1048576,"max_size":1}'],
        [b"H", b'{"version":1,"subprotocols":[],"headers":[],"window":10,"max_size":1}'],
        [b"H", b'{"version":1,"subprotocols":[],"headers":[],"window":1048576,"max_size":0}'],
        [b"W", b'{"version":9,"subprotocol":null,"window":1048576,"max_size":1}'],
        [b"R", b'{"status":200,"reason":"fine"}'],
        [b"c\x03\xee", b""],
        [b"c\x03\xe8", b"x" * 126],
        [b"t", b"\xff"],
        [b"t1234567", b"x"],
        [b""],
        [b"GET / HTTP/1.1"],
    ],
    ids=repr,
)
def test_what_means_nothing_is_a_fault(frames: list[bytes]) -> None:
    with pytest.raises(FrameFault):
        read(frames, LIMIT)


def test_a_message_beyond_the_size_is_a_fault_that_names_both_sizes() -> None:
    for frames in (
        [b"b", b"x" * (LIMIT + 1)],
        [b"x", b"", b"x" * (LIMIT + 1)],
        write(Oversize(LIMIT + 1)),
    ):
        with pytest.raises(FrameFault) as raised:
            read(frames, LIMIT)
        assert raised.value.code == 1009
        error = raised.value.error
        assert isinstance(error, MessageTooLarge)
        assert (error.size, error.limit) == (LIMIT + 1, LIMIT)


def test_a_long_reason_is_cut_between_two_characters() -> None:
    frames = write(Closed(1000, "ü" * 200))
    assert read(frames, LIMIT) == Closed(1000, "ü" * 61)


def test_a_hello_does_not_show_its_headers() -> None:
    hello = Hello(VERSION, [], [("Authorization", "Bearer secret")], 4096, 1)
    assert "secret" not in repr(hello)
