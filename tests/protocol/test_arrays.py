"""Several messages in one frame (seed 001, "Batch Messages"): each counts, in its order; faults are named."""

import json
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given, strategies as st

from aip_trio.errors import ConnectionLost, DecodeError
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Codec,
    Format,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol import AIPProtocol, LoggingMiddleware
from aip_trio.protocol._elements import MOST, elements
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport

LIMIT = 10_000_000


def offer(request: str) -> ServerMessage:
    return ServerMessage(type=ServerMessageType.TASK, status=TaskStatus.CONTINUE, user_request=request)


def array(*messages: WireModel) -> bytes:
    """As seed 001 writes it."""
    return json.dumps([message.model_dump() for message in messages]).encode("utf-8")


def protocol() -> tuple[AIPProtocol, MemoryTransport]:
    near, far = MemoryTransport.pair()
    return AIPProtocol(near), far


@pytest.mark.trio
async def test_an_array_is_as_many_messages_in_their_order() -> None:
    near, far = protocol()
    await far.send(array(offer("a"), offer("b"), offer("c")))
    await far.send(array(offer("d")))
    await far.send(offer("e").model_dump_json().encode())
    assert [(await near.receive_message()).user_request for _ in range(5)] == list("abcde")


@pytest.mark.trio
async def test_a_bad_one_is_named_by_its_index_and_the_others_count() -> None:
    near, far = protocol()
    good = json.loads(array(offer("x")))
    bad: list[Any] = [{"type": "task", "status": "well"}, [], 7, {"status": "ok"}]
    await far.send(json.dumps([*good, *bad, *good]).encode())
    assert (await near.receive_message()).user_request == "x"
    for place, fault in enumerate(("status", "got an array", "got 7", "type"), 1):
        with pytest.raises(
            DecodeError, match=rf"no valid ServerMessage.*{fault}.*\$\[{place}\]|\$\[{place}\].*{fault}"
        ):
            await near.receive_message()
    assert (await near.receive_message()).user_request == "x"


@pytest.mark.trio
@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (b"[]", "empty array"),
        (b"[ ]", "empty array"),
        (b"[", "is no JSON"),
        (b"[{},]", "is no JSON"),
        (b"[{}] x", "is no JSON"),
        (b"[" * 100_000, "nests too deep"),
        (b"[" + b"0," * MOST + b"0]", "more than 1,024 messages"),
        (b"[\xff]", "is no JSON"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_what_is_no_array_of_messages_is_one_error_and_the_connection_lives_on(
    frame: bytes, fault: str
) -> None:
    near, far = protocol()
    await far.send(frame)
    await far.send(offer("next").model_dump_json().encode())
    with pytest.raises(DecodeError, match=f"no valid ServerMessage: .*{fault}"):
        await near.receive_message()
    assert (await near.receive_message()).user_request == "next"


@pytest.mark.trio
async def test_an_array_beyond_the_size_limit_is_not_read() -> None:
    near, far = MemoryTransport.pair()
    small = AIPProtocol(near, codec=Codec(ServerMessage, max_size=1000))
    await far.send(array(*[offer("x" * 400)] * 3))
    with pytest.raises(DecodeError, match="more than max_size=1,000"):
        await small.receive_message()


@pytest.mark.trio
async def test_what_came_before_the_end_of_the_connection_is_received_before_it() -> None:
    near, far = protocol()
    await far.send(array(offer("a"), offer("b")))
    await far.close()
    assert [(await near.receive_message()).user_request for _ in range(2)] == ["a", "b"]
    with pytest.raises(ConnectionLost):
        await near.receive_message()


@pytest.mark.trio
async def test_message_pack_knows_no_such_frame() -> None:
    near, far = MemoryTransport.pair()
    packed = AIPProtocol(near, codec=Codec(ServerMessage, format=Format.MSGPACK))
    await far.send_binary(b"[")
    with pytest.raises(DecodeError, match="got 91"):
        await packed.receive_message()


@given(st.lists(st.text(max_size=20), min_size=1, max_size=30))
def test_any_messages_come_as_they_were_written(requests: list[str]) -> None:
    frame = array(*map(offer, requests))
    found = [msgspec.json.decode(each) for each in elements(frame, LIMIT)]
    assert found == json.loads(frame)
    assert [each.place for each in elements(frame, LIMIT)] == list(range(len(requests)))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(VALUES, min_size=1, max_size=8), st.data())
def test_an_array_that_is_cut_anywhere_is_no_array(values: list[Any], data: st.DataObject) -> None:
    frame = json.dumps(values).encode()
    cut = data.draw(st.integers(1, len(frame) - 1))
    (only,) = elements(frame[:cut], LIMIT)
    assert only.fault is not None
    assert only == b""


def test_as_many_as_may_be_and_one_more() -> None:
    assert len(elements(b"[" + b"{}," * (MOST - 1) + b"{}]", LIMIT)) == MOST
    assert (
        elements(b"[" + b"{}," * MOST + b"{}]", LIMIT)[0].fault
        == "is an array of more than 1,024 messages @ $"
    )


def test_a_huge_array_of_nothing_costs_no_memory() -> None:
    import tracemalloc

    frame = b"[" + b"0," * 2_000_000 + b"0]"
    tracemalloc.start()
    try:
        elements(frame, LIMIT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000


@pytest.mark.parametrize("stamped", [False, True])
def test_a_cancelled_receive_loses_none_of_them(stamped: bool) -> None:
    class Slow(LoggingMiddleware):
        async def process_incoming(self, msg: WireModel) -> WireModel:
            await trio.lowlevel.checkpoint()
            return msg

    async def scenario(point: CancelPoint) -> None:
        near, far = protocol()
        if stamped:
            near.add_middleware(Slow())
        await far.send(array(*map(offer, "abc")))
        received: list[str | None] = []
        with point:
            while len(received) < 3:
                received.append((await near.receive_message()).user_request)
        while len(received) < 3:
            received.append((await near.receive_message()).user_request)
        assert received == ["a", "b", "c"]

    assert cancel_at_every_checkpoint(scenario) >= 3


@pytest.mark.trio
async def test_a_server_reads_a_clients_array_alike() -> None:
    near, far = protocol()
    beat = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK)
    await far.send(array(beat, beat))
    assert [await near.receive_message(ClientMessage) for _ in range(2)] == [beat, beat]
