"""Binary messages: an announcement and its bytes, which nothing comes between."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import cast

import pytest
import trio
from trio.testing import wait_all_tasks_blocked
from trio_websocket import WebSocketConnection, open_websocket_url

from aip_trio.errors import (
    ChecksumMismatch,
    DecodeError,
    EncodeError,
    InvalidMessage,
    NoBinaryFrames,
    SizeMismatch,
    TransferAnnounced,
    UnexpectedMessage,
)
from aip_trio.messages import ClientMessage, TaskStatus
from aip_trio.protocol import AIPProtocol
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport, Transport, WebSocketTransport, serve_websocket
from tests.protocol.transfer.ends import Ends, beat, beats, frames_of, memory, text, websocket

DATA = bytes(range(256))


@pytest.mark.trio
@pytest.mark.parametrize("ends", [memory, websocket])
@pytest.mark.parametrize("data", [b"", b"text", DATA, b"\xff" * 300_000])
async def test_bytes_arrive_with_what_was_said_of_them(ends: Ends, data: bytes) -> None:
    async with ends() as (here, there):
        await here.send_binary_message(data, {"filename": "a.bin", "session_id": "s", "step": {"n": 1}})
        got, said = await there.receive_binary_message()
        assert got == data
        assert isinstance(said.pop("timestamp"), str)
        assert said == {
            "type": "binary_data",
            "size": len(data),
            "filename": "a.bin",
            "session_id": "s",
            "step": {"n": 1},
        }


@pytest.mark.trio
async def test_on_the_wire_it_is_a_text_and_a_binary_frame() -> None:
    async with websocket() as (here, there):
        metadata = {"mime_type": "image/png", "size": 1, "type": "x", "timestamp": "now"}
        await here.send_binary_message(bytearray(b"abc"), metadata)
        announcement = {"type": "binary_data", "size": 3, "mime_type": "image/png", "timestamp": "now"}
        assert await frames_of(there, 2) == [announcement, b"abc"]
        assert metadata["size"] == 1  # the caller's own


@pytest.mark.trio
async def test_what_cannot_be_said_is_refused_before_anything_is_sent() -> None:
    async with memory() as (here, there):
        with pytest.raises(EncodeError, match=r"expected a string, got 7 @ \$\.filename"):
            await here.send_binary_message(b"abc", {"filename": 7})
        with pytest.raises(EncodeError, match=r"\$\['x'\]"):
            await here.send_binary_message(b"abc", {"x": object()})
        with pytest.raises(InvalidMessage):
            await here.send_binary_message("abc")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await here.send_message(beat(1))
        assert await beats(there, 1) == ["1"]


@pytest.mark.trio
async def test_another_size_is_an_error_and_the_connection_lives_on() -> None:
    async with memory() as (here, there):
        await there.transport.send_announced(text(type="binary_data", size=4), b"abc")
        with pytest.raises(SizeMismatch) as raised:
            await here.receive_binary_message()
        assert (raised.value.expected, raised.value.found) == (4, 3)
        await there.transport.send_announced(text(type="binary_data", size=4), b"abc")
        assert (await here.receive_binary_message(False))[0] == b"abc"


@pytest.mark.trio
@pytest.mark.parametrize("data", [b"abc", DATA * 1000])
async def test_another_checksum_is_an_error(data: bytes) -> None:
    right = hashlib.md5(data).hexdigest()
    async with memory() as (here, there):
        await there.send_binary_message(data, {"checksum": right.upper()})
        assert (await here.receive_binary_message())[0] == data
        await there.send_binary_message(data, {"checksum": "0" * 32})
        with pytest.raises(ChecksumMismatch) as raised:
            await here.receive_binary_message()
        assert (raised.value.expected, raised.value.found) == ("0" * 32, right)
        await there.send_binary_message(data, {"checksum": "sha256:…"})
        assert (await here.receive_binary_message(validate_checksum=False))[0] == data


@pytest.mark.trio
async def test_an_announcement_gone_wrong_is_an_error_and_the_connection_lives_on() -> None:
    async with memory() as (here, there):
        await there.transport.send(text(type="binary_data", size="3"))
        with pytest.raises(DecodeError, match=r"\$\.size"):
            await here.receive_binary_message()
        await there.send_binary_message(b"abc")
        assert (await here.receive_binary_message())[0] == b"abc"


@pytest.mark.trio
async def test_a_message_is_never_lost_beside_binary_ones() -> None:
    async with memory() as (here, there):
        await there.send_message(beat(1))
        await there.send_binary_message(b"abc")
        await there.transport.send_binary(here.codec.encode(beat(2)))  # announced by nobody: a message
        await there.send_binary_message(b"def")
        assert (await here.receive_binary_message())[0] == b"abc"
        assert (await here.receive_binary_message())[0] == b"def"
        assert await beats(here, 2) == ["1", "2"]


@pytest.mark.trio
async def test_between_announcement_and_bytes_of_a_careless_peer_messages_are_kept() -> None:
    async with memory() as (here, there):
        await there.transport.send(text(type="binary_data", size=3))
        await there.send_message(beat(1))
        await there.transport.send_binary(b"abc")
        assert (await here.receive_binary_message())[0] == b"abc"
        assert await beats(here, 1) == ["1"]


@pytest.mark.trio
async def test_bytes_that_never_come_are_an_error_that_the_next_announcement_tells() -> None:
    async with memory() as (here, there):
        await there.transport.send(text(type="binary_data", size=3))
        await there.send_binary_message(b"abc")
        with pytest.raises(UnexpectedMessage, match="got binary_data where the binary frame"):
            await here.receive_binary_message()
        assert (await here.receive_binary_message())[0] == b"abc"


@pytest.mark.trio
async def test_who_waits_for_a_message_is_told_and_can_receive_it_or_go_on() -> None:
    async with memory() as (here, there):
        for number in (1, 2):
            await there.send_binary_message(b"{}")
            await there.send_message(beat(number))
        with pytest.raises(TransferAnnounced, match=r"got binary_data where .* receive_binary_message\(\)"):
            await here.receive_message(ClientMessage)
        assert (await here.receive_binary_message())[0] == b"{}"
        assert await beats(here, 1) == ["1"]
        with pytest.raises(TransferAnnounced):
            await here.receive_message(ClientMessage)
        assert await beats(here, 1) == ["2"]  # and the bytes are passed over


@pytest.mark.trio
async def test_who_unpacks_frames_gets_one_error_for_both_frames() -> None:
    async with memory() as (here, there):
        await there.send_binary_message(b"{}")
        await there.send_message(beat(1))
        with pytest.raises(UnexpectedMessage, match=r"got binary_data where ClientMessage was due$"):
            await here.unpack(await here.receive_frame(), ClientMessage)
        message = await here.unpack(await here.receive_frame(), ClientMessage)
        assert message == beat(1)


class Plain(Transport):
    """A transport of somebody's own, which knows one kind of message."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.comes: list[bytes] = []

    async def connect(self, url: str, **options: object) -> None: ...

    async def send(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.sent.append(data)

    async def receive(self) -> bytes:
        await trio.lowlevel.checkpoint()
        return self.comes.pop(0)

    async def close(self) -> None:
        await trio.lowlevel.checkpoint()

    @property
    def is_connected(self) -> bool:
        return True


class Careful(Plain):
    """One that knows both kinds, and sends one after the other."""

    async def send_binary(self, data: bytes) -> None:
        await self.send(data)


@pytest.mark.trio
async def test_a_transport_without_binary_frames_says_so_before_anything_is_sent() -> None:
    plain = Plain()
    protocol = AIPProtocol(plain)
    with pytest.raises(NoBinaryFrames, match=r"use a WebSocketTransport, or give it send_binary\(\)"):
        await protocol.send_binary_message(b"abc")
    with pytest.raises(NoBinaryFrames):
        await protocol.send_file(__file__)
    with pytest.raises(NoBinaryFrames):
        await protocol.receive_binary_message()
    assert plain.sent == []


@pytest.mark.trio
async def test_on_a_transport_without_binary_frames_an_announcement_costs_no_message() -> None:
    plain = Plain()
    plain.comes = [b'{"type":"binary_data","size":3}', b'{"type":"heartbeat","status":"ok"}']
    protocol = AIPProtocol(plain)
    with pytest.raises(UnexpectedMessage):
        await protocol.unpack(await protocol.receive_frame(), ClientMessage)
    assert (await protocol.receive_message(ClientMessage)).status is TaskStatus.OK


@pytest.mark.trio
async def test_a_transport_of_ones_own_needs_no_more_than_send_binary() -> None:
    careful = Careful()
    await AIPProtocol(careful).send_binary_message(b"abc", {"timestamp": "now"})
    assert careful.sent == [b'{"type":"binary_data","size":3,"timestamp":"now"}', b"abc"]


class Counting(MemoryTransport):
    """One that overrides `send`, as programs do with the transports there are."""

    sent = 0

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += 1
        await super().send(data)


@pytest.mark.trio
async def test_nothing_goes_past_a_send_that_a_subclass_overrides() -> None:
    here, there = Counting.pair()
    await AIPProtocol(here).send_binary_message(b"abc")
    assert isinstance(here, Counting)
    assert here.sent == 1
    assert (await AIPProtocol(there).receive_binary_message())[0] == b"abc"


def test_where_two_sends_cannot_be_one_a_cancelled_one_ends_the_connection() -> None:
    ended: list[bool] = []

    async def scenario(point: CancelPoint) -> None:
        here, there = Counting.pair()
        with point:
            await AIPProtocol(here).send_binary_message(b"abc")
        ended.append(not here.is_connected)
        if point.cancelled and here.is_connected:
            await here.send(b"{}")
            assert await frames_of(AIPProtocol(there), 1) == [{}]  # nothing of it was sent

    cancel_at_every_checkpoint(scenario)
    assert True in ended


async def flood(protocol: AIPProtocol, count: int) -> None:
    for number in range(count):
        await protocol.send_message(beat(number))


async def send_all(protocol: AIPProtocol, count: int) -> None:
    for number in range(count):
        await protocol.send_binary_message(bytes([number]) * 70_000)


def announces(frame: object) -> bool:
    return isinstance(frame, dict) and ("type", "binary_data") in cast("dict[str, object]", frame).items()


def torn(frames: Sequence[object]) -> list[int]:
    """After which announcements something else came than their bytes."""
    return [
        place
        for place, (first, second) in enumerate(itertools.pairwise(frames))
        if announces(first) and not isinstance(second, bytes)
    ]


@pytest.mark.trio
@pytest.mark.parametrize("ends", [memory, websocket])
async def test_nothing_comes_between_whoever_sends_over_the_transport(ends: Ends) -> None:
    async with ends() as (here, there):
        others = AIPProtocol(here.transport)
        async with trio.open_nursery() as nursery:
            for protocol in (here, others):
                nursery.start_soon(flood, protocol, 40)
                nursery.start_soon(send_all, protocol, 10)
            frames = await frames_of(there, 2 * (40 + 20))
        assert torn(frames) == []
        assert sum(isinstance(frame, bytes) for frame in frames) == 20


@pytest.mark.trio
async def test_nothing_comes_between_over_a_connection_of_trio_websocket() -> None:
    frames: list[object] = []

    async def handler(transport: WebSocketTransport) -> None:
        frames.extend(await frames_of(AIPProtocol(transport), 2 * (40 + 20)))
        await transport.send(b"enough")

    async with trio.open_nursery() as nursery:
        server = await serve_websocket(handler, nursery=nursery)
        websocket: WebSocketConnection
        async with open_websocket_url(server.url) as websocket:
            transport = WebSocketTransport(websocket)
            async with trio.open_nursery() as senders:
                for _ in range(2):
                    protocol = AIPProtocol(transport)
                    senders.start_soon(flood, protocol, 40)
                    senders.start_soon(send_all, protocol, 10)
            assert await transport.receive() == b"enough"
        await server.close()
    assert torn(frames) == []


def test_a_cancelled_send_is_whole_or_nothing() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with memory() as (here, there):
            with point:
                await here.send_binary_message(b"abc")
            await here.send_message(beat(1))
            first, *_ = await frames_of(there, 1)
            if announces(first):
                assert await frames_of(there, 1) == [b"abc"]
                assert await beats(there, 1) == ["1"]
            else:
                assert point.cancelled

    assert cancel_at_every_checkpoint(scenario) >= 1


def test_a_send_that_is_cancelled_while_it_waits_is_nothing() -> None:
    async def scenario(point: CancelPoint) -> None:
        here, there = MemoryTransport.pair()
        await here.send(b"x" * 2**21)  # more than there is room for

        async def make_room() -> None:
            await wait_all_tasks_blocked()
            await there.receive()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(make_room)
            with point:
                await AIPProtocol(here).send_binary_message(b"abc")
        await here.send(b"{}")
        frames = await frames_of(AIPProtocol(there), 1 if point.cancelled else 3)
        assert torn(frames) == []
        assert frames[-1] == {}

    cancel_at_every_checkpoint(scenario)


def test_a_cancelled_receive_loses_nothing() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with memory() as (here, there):
            await there.send_message(beat(1))
            await there.transport.send(
                text(type="binary_data", size=3, checksum=hashlib.md5(b"abc").hexdigest())
            )
            got: list[bytes] = []

            async def later() -> None:
                await wait_all_tasks_blocked()
                await there.transport.send_binary(b"abc")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(later)
                with point:
                    got.append((await here.receive_binary_message())[0])
            if not got:
                got.append((await here.receive_binary_message())[0])
            assert got == [b"abc"]
            assert await beats(here, 1) == ["1"]

    assert cancel_at_every_checkpoint(scenario) >= 3
