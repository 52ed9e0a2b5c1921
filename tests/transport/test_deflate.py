"""Compression: what is agreed on, what goes over the wire, and what a bomb costs."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from itertools import product

import pytest
import trio
from hypothesis import given, strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri
from wsproto.extensions import PerMessageDeflate as PerMessageDeflateOfWsproto

from aip_trio.actors import open_system
from aip_trio.errors import InvalidSpec, MessageTooLarge
from aip_trio.transport import AdapterName, WebSocketTransport, serve_websocket
from aip_trio.transport._codec import Codec, FrameFault
from aip_trio.transport._deflate import OFFER, Deflation, accept, agree
from aip_trio.transport._frames import Frames
from aip_trio.transport._websockets_deflate import _Deflate
from aip_trio.transport._websockets_frames import WebsocketsFrames
from tests.transport.ends import echo
from tests.transport.network import FakeNetwork
from tests.transport.raw import RawPeer, knock
from tests.transport.test_frames import parts, read

LIMIT = 100_000
MIB = 1 << 20


def native(client: bool, limit: int = LIMIT, bits: int = 15) -> Codec:
    return Frames(client=client, max_size=limit, deflation=Deflation(100, bits))


def by_websockets(client: bool, limit: int = LIMIT, bits: int = 15) -> Codec:
    protocol = (
        ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=limit)
        if client
        else ServerProtocol(state=State.OPEN, max_size=limit)
    )
    protocol.extensions = [_Deflate(Deflation(100, bits))]
    return WebsocketsFrames(protocol, max_size=limit)


def by_their_extension(client: bool) -> Codec:
    """As any peer has it."""
    protocol = (
        ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=LIMIT)
        if client
        else ServerProtocol(state=State.OPEN, max_size=LIMIT)
    )
    protocol.extensions = [PerMessageDeflate(True, True, 15, 15)]
    return WebsocketsFrames(protocol, max_size=LIMIT)


Make = Callable[[bool], Codec]
codecs = pytest.mark.parametrize("codec", [native, by_websockets])
both_sides = pytest.mark.parametrize("client", [True, False], ids=["client", "server"])
messages = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=20).map(lambda text: (text * 40).encode()),
    st.sampled_from([b"", b"x" * 99, b"x" * 100, b"x" * LIMIT, bytes(range(256)) * 20]),
)


@codecs
@both_sides
@pytest.mark.parametrize("peer", [native, by_websockets, by_their_extension])
@given(sent=st.lists(messages, max_size=6), cuts=st.lists(st.integers(0, 1 << 20), max_size=12))
def test_what_one_compresses_another_reads(
    codec: Make, peer: Make, client: bool, sent: list[bytes], cuts: list[int]
) -> None:
    here, there = codec(client), peer(not client)
    for sender, receiver in ((here, there), (there, here)):
        wire = b"".join(sender.binary(message) for message in sent)
        assert read(receiver, parts(wire, cuts)) == [(message, False) for message in sent]


@codecs
def test_only_what_is_long_enough_and_shrinks_is_compressed(
    codec: Callable[[bool], Codec],
) -> None:
    frames = codec(False)
    assert frames.text(b"x" * 99)[0] == 0x81
    assert frames.text(b"x" * 100)[0] == 0xC1
    assert len(frames.binary(b"x" * LIMIT)) < LIMIT // 100
    noise = zlib.compress(bytes(range(256)) * 3, 9)
    assert frames.binary(noise + noise[::-1])[0] in (0x82, 0xC2)
    assert frames.ping(b"x" * 125)[0] == 0x89


def frame(first: int, payload: bytes) -> bytes:
    """As a server sends it."""
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return bytes((first, 126)) + length.to_bytes(2) + payload
    return bytes((first, 127)) + length.to_bytes(8) + payload


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]


@codecs
@given(
    data=st.binary(max_size=400).map(lambda data: data * 3),
    pieces=st.lists(st.integers(0, 500), max_size=6),
    cuts=st.lists(st.integers(0, 1 << 20), max_size=12),
)
def test_a_compressed_message_in_pieces(codec: Make, data: bytes, pieces: list[int], cuts: list[int]) -> None:
    packed = parts(deflated(data), pieces) or [b""]
    last = len(packed) - 1
    wire = b""
    for number, piece in enumerate(packed):
        wire += frame((0 if number else 0x42) | (0x80 if number == last else 0), piece)
        wire += frame(0x89, b"between")
    got = read(codec(True), parts(wire, cuts))
    assert [each for each in got if isinstance(each, tuple)] == [(data, False)]


@codecs
@pytest.mark.parametrize("payload", [b"", b"\x00"])
def test_an_empty_message_is_one(codec: Make, payload: bytes) -> None:
    """Section 7.2.3.6: compressed, it is one byte; of no bytes at all it is taken as well."""
    assert read(codec(True), [frame(0xC1, payload)]) == [(b"", True)]


@codecs
def test_a_final_block_ends_a_message_as_the_rfc_has_it(codec: Make) -> None:
    """Section 7.2.3.4."""
    hello = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
    assert read(codec(True), [frame(0xC1, hello)]) == [(b"Hello", True)]


@codecs
@pytest.mark.parametrize(
    "wire",
    [
        frame(0xC1, b"\xff\xff\xff\xff"),
        frame(0xC1, b"\xf3\x48\xcd\xc9\xc9\x07\x00" + b"more than the padding"),
        frame(0x41, b"") + frame(0xC0, b""),  # once more in a continuation
        frame(0x01, b"") + frame(0xC0, b""),  # only in a continuation
        frame(0xC9, b""),  # a ping
        frame(0xC8, b""),
        frame(0xA1, b""),  # other reserved bits
        frame(0x91, b""),
    ],
)
def test_what_is_not_compressed_as_agreed_is_refused(codec: Make, wire: bytes) -> None:
    with pytest.raises(FrameFault) as raised:
        read(codec(True), [wire])
    assert raised.value.code == 1002


@codecs
@given(data=st.binary(max_size=200), first=st.sampled_from([0xC1, 0xC2]))
def test_noise_is_read_or_refused(codec: Make, data: bytes, first: int) -> None:
    fault: FrameFault | None = None
    try:
        read(codec(True), [frame(first, data)])
    except FrameFault as error:
        fault = error
    assert fault is None or fault.code in (1002, 1007, 1009)


@codecs
@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("split", [1, 1000])
def test_the_limit_is_that_of_what_it_inflates_to(codec: Make, extra: int, split: int) -> None:
    packed = deflated(b"x" * (LIMIT + extra))
    pieces = [packed[start : start + split] for start in range(0, len(packed), split)]
    wire = frame(0x42, b"") + b"".join(frame(0x00, piece) for piece in pieces) + frame(0x80, b"")
    for bytes_sent in (frame(0xC2, packed), wire):
        if bytes_sent is wire and codec is by_websockets and not extra:
            continue  # the library takes no byte more where no room is left, though it may inflate to none
        if extra <= 0:
            assert read(codec(True), [bytes_sent]) == [(b"x" * (LIMIT + extra), False)]
        else:
            with pytest.raises(FrameFault) as raised:
                read(codec(True), [bytes_sent])
            assert raised.value.code == 1009
            assert isinstance(raised.value.error, MessageTooLarge)


@pytest.mark.parametrize("codec", [native, by_websockets])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_bomb_costs_no_more_than_the_limit(codec: Callable[[bool, int], Codec], in_pieces: bool) -> None:
    packed = deflated(bytes(64 * MIB))
    middle = len(packed) // 2
    wire = frame(0x42, packed[:middle]) + frame(0x80, packed[middle:]) if in_pieces else frame(0xC2, packed)
    frames = codec(True, MIB)
    chunks = [wire[start : start + 16384] for start in range(0, len(wire), 16384)]
    tracemalloc.start()
    try:
        with pytest.raises(FrameFault) as raised:
            read(frames, chunks)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert raised.value.code == 1009
    assert peak < 3 * MIB


# What is agreed on

PARAMETERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "server_no_context_takeover",
                "client_no_context_takeover",
                "server_max_window_bits",
                "client_max_window_bits",
                "unknown",
            ]
        ),
        st.sampled_from([None, "8", "9", "12", "15", "16", "08", "x", ""]),
    ),
    max_size=5,
)


@given(offered=PARAMETERS)
def test_a_server_answers_what_it_can_and_declines_the_rest(
    offered: list[tuple[str, str | None]],
) -> None:
    names = [name for name, _ in offered]
    accepted = accept(offered, 100)
    wrong = (
        len(set(names)) < len(names)
        or "unknown" in names
        or any(value is not None for name, value in offered if name.endswith("takeover"))
        or any(value not in (None, "8", "9", "12", "15") for name, value in offered if name.endswith("bits"))
        or any(value in (None, "8") for name, value in offered if name == "server_max_window_bits")
    )
    assert (accepted is None) == wrong
    if accepted is not None:
        answer, deflation = accepted
        assert answer[:2] == list(OFFER)
        bits = dict(offered).get("server_max_window_bits")
        assert dict(answer).get("server_max_window_bits") == bits
        assert deflation.bits == int(bits or 15)


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        (OFFER, True),
        ([("server_no_context_takeover", None)], True),
        ([*OFFER, ("server_max_window_bits", "10")], True),
        ([], False),  # it would keep its context
        ([("client_no_context_takeover", None)], False),
        ([*OFFER, ("client_max_window_bits", "10")], False),  # that was not offered
        ([*OFFER, ("server_max_window_bits", None)], False),
        ([*OFFER, OFFER[0]], False),
    ],
)
def test_a_client_agrees_to_what_it_has_offered(answer: list[tuple[str, str | None]], agreed: bool) -> None:
    assert (agree(answer, 100) is not None) == agreed


@pytest.mark.parametrize("bits", [9, 12])
@pytest.mark.parametrize("codec", [native, by_websockets])
def test_a_smaller_window_is_kept_to(codec: Callable[[bool, int, int], Codec], bits: int) -> None:
    message = b"".join(b"%d" % number for number in range(15_000))
    packed = codec(False, LIMIT, bits).binary(message)
    assert packed[0] == 0xC2
    inflater = zlib.decompressobj(-bits)
    start = 4 if packed[1] == 126 else 10
    assert inflater.decompress(packed[start:] + b"\x00\x00\xff\xff") == message


# End to end

OURS: list[AdapterName] = ["native", "websockets"]


@pytest.mark.trio
@pytest.mark.parametrize(("client", "server"), list(product(OURS, repeat=2)))
@pytest.mark.parametrize(("wanted", "spoken"), [(True, True), (True, False), (False, True)])
async def test_it_is_used_where_both_want_it(
    client: AdapterName, server: AdapterName, wanted: bool, spoken: bool
) -> None:
    network = FakeNetwork()
    async with open_system(environment=network):
        await serve_websocket(
            echo, port=1, adapter=server, compression="deflate" if spoken else None, compression_threshold=10
        )
        transport = WebSocketTransport(
            adapter=client, compression="deflate" if wanted else None, compression_threshold=10
        )
        await transport.connect("ws://127.0.0.1:1/ws", subprotocols=["a"])
        before = network.clients[0].outgoing.written, network.clients[0].incoming.written
        await transport.send(b"x" * 10_000)
        assert await transport.receive() == b"x" * 10_000
        there = network.clients[0].outgoing.written - before[0]
        back = network.clients[0].incoming.written - before[1]
        for written in (there, back):
            assert (written < 1000) == (wanted and spoken)
        await transport.close()


@pytest.mark.trio
@pytest.mark.parametrize("adapter", OURS)
async def test_a_bomb_closes_the_connection_with_1009_and_no_other(adapter: AdapterName) -> None:
    errors: list[Exception] = []

    async def handler(transport: WebSocketTransport) -> None:
        try:
            await echo(transport)
        except ConnectionError as error:
            errors.append(error)

    async with open_system(environment=FakeNetwork()):
        server = await serve_websocket(handler, port=1, adapter=adapter, compression="deflate", max_size=MIB)
        other = WebSocketTransport()
        await other.connect(server.url)
        peer = await knock(server, extensions=[PerMessageDeflateOfWsproto()])
        assert isinstance(peer, RawPeer)
        packed = deflated(bytes(8 * MIB))
        await peer.write(bytes((0xC2, 0x80 | 126)) + len(packed).to_bytes(2) + bytes(4) + packed)
        assert (await peer.closing()).code == 1009
        await peer.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert [type(error) for error in errors] == [MessageTooLarge]
        await other.send(b"still here")
        assert await other.receive() == b"still here"
        await other.close()


@pytest.mark.trio
async def test_an_adapter_that_does_not_compress_says_so() -> None:
    with pytest.raises(InvalidSpec, match="adapter=trio-websocket"):
        WebSocketTransport(adapter="trio-websocket", compression="deflate")
    async with trio.open_nursery() as nursery:
        with pytest.raises(InvalidSpec, match="compression"):
            await serve_websocket(echo, nursery=nursery, adapter="trio-websocket", compression="deflate")


@pytest.mark.parametrize("threshold", [0, -1, True, 1.5])
def test_a_threshold_is_a_number_of_bytes(threshold: object) -> None:
    with pytest.raises(InvalidSpec, match="compression_threshold"):
        WebSocketTransport(compression="deflate", compression_threshold=threshold)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_there_is_one_kind_of_compression() -> None:
    with pytest.raises(InvalidSpec, match="deflate"):
        WebSocketTransport(compression="gzip")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
