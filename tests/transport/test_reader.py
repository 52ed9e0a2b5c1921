"""Who reads: the task that receives, or the background where there is none. In virtual time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from wsproto.events import CloseConnection, Ping, Pong

from aip_trio.errors import ConnectionLost, TransportBusy, TransportClosed, TransportError
from aip_trio.transport._native import NativeWebSocket
from aip_trio.transport._reader import Reader
from tests.transport.raw import Met, met

pytestmark = [pytest.mark.trio, pytest.mark.usefixtures("each_codec")]


def reader_of(both: Met) -> Reader:
    websocket = both.transport.websocket
    assert isinstance(websocket, NativeWebSocket)
    return websocket._reader


async def receive(both: Met, got: list[bytes | TransportError]) -> None:
    try:
        while True:
            got.append(await both.transport.receive())
    except TransportError as error:
        got.append(error)


async def test_who_receives_reads_and_the_background_sleeps(autojump_clock: MockClock) -> None:
    async with met("client") as both, trio.open_nursery() as nursery:
        reader = reader_of(both)
        assert reader._attending
        got: list[bytes | TransportError] = []
        nursery.start_soon(receive, both, got)
        await wait_all_tasks_blocked()
        assert reader._attending  # it reads already: this one message it hands over
        await both.peer.text("one")
        await wait_all_tasks_blocked()
        assert (reader._receiving, reader._attending) == (True, False)
        for number in range(3):
            await trio.sleep(10)
            await both.peer.text(f"{number}")
            await wait_all_tasks_blocked()
            assert (reader._receiving, reader._attending) == (True, False)
        assert got == [b"one", b"0", b"1", b"2"]
        nursery.cancel_scope.cancel()


async def test_when_nobody_receives_any_more_the_background_reads(autojump_clock: MockClock) -> None:
    async with met("client") as both, trio.open_nursery() as nursery:
        reader = reader_of(both)
        nursery.start_soon(both.peer.text, "one")
        assert await both.transport.receive() == b"one"
        assert not reader._attending
        await both.peer.text("two")
        await both.peer.send(Ping(b"there?"))
        assert await both.peer.event() == Pong(b"there?")
        assert reader._attending
        assert trio.current_time() == pytest.approx(0.1)
        assert await both.transport.receive() == b"two"


async def test_a_receive_that_is_cancelled_leaves_the_reading_to_the_background(
    autojump_clock: MockClock,
) -> None:
    async with met("client") as both, trio.open_nursery() as nursery:
        nursery.start_soon(both.peer.text, "one")
        await both.transport.receive()
        with trio.move_on_after(5):
            await both.transport.receive()
        await both.peer.text("two")
        await both.peer.send(CloseConnection(1000))
        await both.transport.wait_closed()
        assert trio.current_time() == pytest.approx(5.1)
        assert await both.transport.receive() == b"two"
        with pytest.raises(ConnectionLost):
            await both.transport.receive()


async def test_after_a_ping_who_receives_reads_again(autojump_clock: MockClock) -> None:
    async with met("client") as both, trio.open_nursery() as nursery:
        reader = reader_of(both)
        got: list[bytes | TransportError] = []
        nursery.start_soon(receive, both, got)
        nursery.start_soon(both.transport.ping)
        ping = await both.peer.event()
        assert isinstance(ping, Ping)
        await both.peer.send(ping.response())
        for _ in range(2):
            await both.peer.text("x")
            await wait_all_tasks_blocked()
        assert (reader._receiving, reader._attending) == (True, False)
        nursery.cancel_scope.cancel()


async def test_a_ping_is_answered_at_once_where_the_receiver_has_just_left(autojump_clock: MockClock) -> None:
    async with met("client") as both, trio.open_nursery() as nursery:
        nursery.start_soon(both.peer.text, "one")
        await both.transport.receive()
        nursery.start_soon(both.transport.ping)
        ping = await both.peer.event()
        assert isinstance(ping, Ping)
        await both.peer.send(ping.response())
        await wait_all_tasks_blocked()
        assert not nursery.child_tasks
        assert trio.current_time() == 0


@pytest.mark.parametrize("stays", [True, False], ids=["receiving", "cancelled"])
async def test_close_while_a_task_receives(stays: bool, autojump_clock: MockClock) -> None:
    async with met("client") as both, trio.open_nursery() as nursery:
        nursery.start_soon(both.peer.text, "one")
        await both.transport.receive()
        errors: list[bytes | TransportError] = []
        scope = trio.CancelScope()

        async def receiving() -> None:
            with scope:
                await receive(both, errors)

        nursery.start_soon(receiving)
        await wait_all_tasks_blocked()
        assert reader_of(both)._receiving
        nursery.start_soon(both.transport.close)
        closing = await both.peer.closing()
        if not stays:
            scope.cancel()
            await wait_all_tasks_blocked()
            assert reader_of(both)._attending
        await both.peer.send(closing.response())
        await both.transport.wait_closed()
        await wait_all_tasks_blocked()
        assert [type(error) for error in errors] == [TransportClosed] * stays
        assert trio.current_time() == 0


async def test_what_comes_after_our_close_frame_is_not_received(autojump_clock: MockClock) -> None:
    async with met("client") as both, trio.open_nursery() as nursery:
        nursery.start_soon(both.peer.text, "one")
        await both.transport.receive()
        got: list[bytes | TransportError] = []
        nursery.start_soon(receive, both, got)
        await wait_all_tasks_blocked()
        nursery.start_soon(both.transport.close)
        await wait_all_tasks_blocked()
        for _ in range(100):
            await both.peer.write(b"\x81\x04late")
        await both.peer.send((await both.peer.closing()).response())
        await both.transport.wait_closed()
        await wait_all_tasks_blocked()
        assert [type(each) for each in got] == [TransportClosed]


async def test_a_second_receive_is_refused_whoever_reads(autojump_clock: MockClock) -> None:
    async with met("client") as both, trio.open_nursery() as nursery:
        got: list[bytes | TransportError] = []
        nursery.start_soon(receive, both, got)
        for _ in range(2):
            await wait_all_tasks_blocked()
            with pytest.raises(TransportBusy):
                await both.transport.receive()
            await both.peer.text("x")
        nursery.cancel_scope.cancel()


async def test_receive_is_a_checkpoint_where_messages_wait_too(autojump_clock: MockClock) -> None:
    async with met("client") as both:
        for _ in range(10):
            await both.peer.text("x")
        await wait_all_tasks_blocked()
        for _ in range(10):
            with trio.testing.assert_checkpoints():
                await both.transport.receive()
        for number in range(10):  # of these, all but the first come with it
            both.peer.stream.outgoing.data += b"\x81\x01%d" % number  # type: ignore[attr-defined]  # pyright: ignore
        both.peer.stream.outgoing.changed()  # type: ignore[attr-defined]  # pyright: ignore
        for number in range(10):
            with trio.testing.assert_checkpoints():
                assert await both.transport.receive() == b"%d" % number
