"""The closing handshake, and what else can end a connection: with plain peers, in virtual time."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from wsproto.events import CloseConnection, Ping, TextMessage
from wsproto.frame_protocol import CloseReason

from aip_trio.errors import ConnectionLost, MessageTooLarge, TransportClosed, TransportError
from aip_trio.transport import TransportState
from tests.transport.network import FakeStream
from tests.transport.raw import Met, met

pytestmark = [pytest.mark.trio, pytest.mark.usefixtures("each_codec")]
sides = pytest.mark.parametrize("side", ["client", "server"])


async def lost(met: Met) -> TransportError:
    with pytest.raises(TransportError) as raised:
        while True:
            await met.transport.receive()
    return raised.value


@sides
async def test_our_close_frame_carries_code_and_reason(side: str, autojump_clock: MockClock) -> None:
    async with met(side) as both, trio.open_nursery() as nursery:
        nursery.start_soon(both.transport.close, 1001, "bye")
        closing = await both.peer.closing()
        assert (closing.code, closing.reason) == (1001, "bye")
        assert both.transport.state.name == "DISCONNECTING"
        await both.peer.send(closing.response())
        await both.peer.eof()
        await both.transport.wait_closed()
        assert both.transport.state is TransportState.DISCONNECTED
        assert both.transport.close_code == 1001
    assert trio.current_time() < 1


@sides
async def test_a_peer_that_does_not_answer_our_close_frame_is_not_waited_for_longer_than_close_timeout(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both:
        await both.transport.close()
        assert 10 <= trio.current_time() < 10.1
        assert both.transport.state is TransportState.DISCONNECTED
        assert both.transport.close_code == 1006


@sides
async def test_a_peer_that_talks_on_after_our_close_frame_is_not_waited_for_either(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both, trio.open_nursery() as nursery:

        async def talk() -> None:
            with pytest.raises(trio.BrokenResourceError):
                while True:
                    await both.peer.write(both.peer.websocket.send(TextMessage("x" * 10_000)))
                    await trio.sleep(0.1)

        nursery.start_soon(talk)
        await both.transport.close()
        assert 10 <= trio.current_time() < 10.1


@sides
async def test_a_peer_that_reads_nothing_does_not_hold_up_close(side: str, autojump_clock: MockClock) -> None:
    async with met(side) as both, trio.open_nursery() as nursery:

        async def fill() -> None:
            with pytest.raises(TransportClosed):
                while True:
                    await both.transport.send(b"x" * 50_000)

        nursery.start_soon(fill)
        await wait_all_tasks_blocked()
        await both.transport.close()
        assert 10 <= trio.current_time() < 10.1


@sides
@pytest.mark.parametrize("code", [1000, 1001, 1011, 4001])
async def test_the_peers_close_frame_is_answered_with_its_code(
    side: str, code: int, autojump_clock: MockClock
) -> None:
    async with met(side) as both:
        await both.peer.text("last")
        await both.peer.send(CloseConnection(code, "enough"))
        assert (await both.peer.closing()).code == code
        await both.peer.eof()
        assert await both.transport.receive() == b"last"
        error = await lost(both)
        assert isinstance(error, ConnectionLost)
        assert (error.code, error.reason) == (code, "enough")
        assert both.transport.state is TransportState.DISCONNECTED


@sides
async def test_a_close_frame_without_a_code_is_1005(side: str, autojump_clock: MockClock) -> None:
    async with met(side) as both:
        await both.peer.send(CloseConnection(CloseReason.NO_STATUS_RCVD))
        assert (await both.peer.closing()).code == 1005
        error = await lost(both)
        assert isinstance(error, ConnectionLost)
        assert error.code == both.transport.close_code == 1005


@sides
async def test_the_answer_to_the_peers_close_frame_waits_no_longer_than_close_timeout(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both, trio.open_nursery() as nursery:

        async def fill() -> None:
            with pytest.raises(ConnectionLost, match="1000"):
                while True:
                    await both.transport.send(b"x" * 50_000)

        nursery.start_soon(fill)
        await wait_all_tasks_blocked()
        await both.peer.send(CloseConnection(1000))
        await both.transport.wait_closed()
        assert 10 <= trio.current_time() < 10.1
        assert both.transport.state is TransportState.DISCONNECTED


@sides
async def test_the_end_of_the_stream_without_a_close_frame_is_1006(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both:
        await both.peer.text("last")
        await both.peer.stream.aclose()
        assert await both.transport.receive() == b"last"
        error = await lost(both)
        assert isinstance(error, ConnectionLost)
        assert error.code == both.transport.close_code == 1006
        assert both.transport.state is TransportState.ERROR


@sides
async def test_a_send_that_fails_knows_what_the_peer_said_before_it_left(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both:
        await both.peer.send(CloseConnection(1008, "not you"))
        await both.peer.stream.aclose()
        with pytest.raises(ConnectionLost) as raised:
            while True:
                await both.transport.send(b"x")
        assert (raised.value.code, raised.value.reason) == (1008, "not you")
        assert both.transport.state is TransportState.DISCONNECTED  # so that it can connect again
        assert trio.current_time() < 1.1


#: Frames that are none, as a server would send them; for a client's they are masked.
BROKEN = {
    "reserved bit": (0xC1, b"", 1002),
    "unknown opcode": (0x83, b"", 1002),
    "no beginning": (0x80, b"", 1002),
    "no UTF-8": (0x81, b"\xff", 1007),
    "close code": (0x88, b"\x03\xed", 1002),
    "too large": (0x82, b"x" * 101, 1009),
}


def frame(side: str, first: int, payload: bytes) -> bytes:
    """For a transport on this side; the mask is zero."""
    if side == "client":
        return bytes((first, len(payload))) + payload
    return bytes((first, 0x80 | len(payload))) + bytes(4) + payload


@sides
@pytest.mark.parametrize("name", list(BROKEN))
async def test_a_malformed_frame_closes_with_its_code_and_says_what_was_wrong(
    side: str, name: str, autojump_clock: MockClock
) -> None:
    first, payload, code = BROKEN[name]
    async with met(side, max_size=100) as both:
        await both.peer.text("fine")
        await both.peer.write(frame(side, first, payload))
        closing = await both.peer.closing()
        assert closing.code == code
        assert closing.reason
        assert await both.transport.receive() == b"fine"
        error = await lost(both)
        if code == 1009:
            assert isinstance(error, MessageTooLarge)
            assert (error.size, error.limit) == (101, 100)
            assert "max_size=100" in str(error)
        else:
            assert isinstance(error, ConnectionLost)
            assert error.code == code
        assert both.transport.close_code == code
        assert both.transport.state is TransportState.ERROR
        await both.peer.send(closing.response())
        await both.peer.stream.aclose()
        await both.transport.wait_closed()
    assert trio.current_time() < 1


@sides
async def test_many_small_fragments_are_too_large_together(side: str, autojump_clock: MockClock) -> None:
    async with met(side, max_size=100) as both:
        await both.peer.send(TextMessage("", message_finished=False))
        for _ in range(101):
            await both.peer.send(TextMessage("x", message_finished=False))
        assert (await both.peer.closing()).code == 1009
        assert isinstance(await lost(both), MessageTooLarge)


@sides
async def test_after_a_fault_what_comes_is_not_kept_and_the_socket_not_held_for_long(
    side: str, autojump_clock: MockClock
) -> None:
    """The close frame has to arrive: closing while bytes come in would take it back."""
    async with met(side, max_size=100) as both, trio.open_nursery() as nursery:

        async def flood() -> None:
            with pytest.raises(trio.BrokenResourceError):
                while True:
                    await both.peer.write(b"\xff" * 10_000)
                    await trio.sleep(0.1)

        await both.peer.write(frame(side, 0x82, b"x" * 101))
        nursery.start_soon(flood)
        assert isinstance(await lost(both), MessageTooLarge)
        assert trio.current_time() < 1
        assert (await both.peer.closing()).code == 1009
        await both.transport.wait_closed()
        assert 10 <= trio.current_time() < 10.2


@sides
async def test_a_flood_of_pings_is_answered_with_as_many_pongs_as_the_peer_reads(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both:
        for number in range(5000):
            await both.peer.send(Ping(b"%d" % number))
        await both.peer.text("after it")
        assert await both.transport.receive() == b"after it"
        stream = both.peer.stream
        assert isinstance(stream, FakeStream)
        pongs = 0
        while (event := await both.peer.event()) is not None:
            pongs += 1
            if getattr(event, "payload", b"") == b"4999":
                break
        assert 0 < pongs <= 5000
        await both.transport.send(b"fine")


@sides
async def test_pings_to_one_who_writes_nothing_back_take_no_room(
    side: str, autojump_clock: MockClock
) -> None:
    """Of the pongs that the peer does not read one waits, the last."""
    async with met(side) as both, trio.open_nursery() as nursery:

        async def fill() -> None:
            while True:
                await both.transport.send(b"x" * 50_000)

        nursery.start_soon(fill)
        await wait_all_tasks_blocked()
        for number in range(2000):
            await both.peer.send(Ping(b"%d" % number))
        await wait_all_tasks_blocked()
        outbox = both.transport.websocket._outbox  # type: ignore[attr-defined]  # pyright: ignore
        assert len(outbox._queue) <= 3  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("breaks", [False, True])
async def test_no_task_is_left_of_a_connection(breaks: bool, autojump_clock: MockClock) -> None:
    async with met("client") as both:

        def tasks() -> list[str]:
            return [task.name for task in both.system.nursery.child_tasks if "transport" in task.name]

        await both.transport.send(b"x" * 1000)
        assert tasks()
        if breaks:
            stream = both.peer.stream
            assert isinstance(stream, FakeStream)
            stream.cut()
        await both.transport.close()
        await wait_all_tasks_blocked()
        assert not tasks()
