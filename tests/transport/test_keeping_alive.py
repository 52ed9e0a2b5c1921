"""The keepalive of a connection: with plain peers, in virtual time."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from wsproto.events import Event, Ping, Pong

from aip_trio.errors import ConnectionLost, PeerSilent, TransportClosed, TransportError
from aip_trio.transport import TransportState
from tests.transport.network import FakeStream
from tests.transport.raw import Met, RawPeer, met

pytestmark = [pytest.mark.trio, pytest.mark.usefixtures("each_adapter")]
sides = pytest.mark.parametrize("side", ["client", "server"])


async def answer(peer: RawPeer, pings: list[float]) -> None:
    """Be a peer that answers pings, and note when they came."""
    while (event := await peer.event()) is not None:
        if isinstance(event, Ping):
            pings.append(trio.current_time())
            await peer.send(event.response())


def held(both: Met, held: bool = True) -> None:
    stream = both.peer.stream
    assert isinstance(stream, FakeStream)
    stream.hold(held)


@sides
async def test_a_ping_goes_out_at_each_interval_and_a_peer_that_answers_lives(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side, ping_interval=20, ping_timeout=45) as both, trio.open_nursery() as nursery:
        pings: list[float] = []
        nursery.start_soon(answer, both.peer, pings)
        await trio.sleep(205)
        assert pings == [20.0 * number for number in range(1, 11)]
        assert both.transport.is_connected
        assert both.transport.last_heard == 200
        nursery.cancel_scope.cancel()


@sides
async def test_a_silent_peer_is_given_up_after_ping_timeout(side: str, autojump_clock: MockClock) -> None:
    async with met(side, ping_interval=20, ping_timeout=45) as both:
        with pytest.raises(PeerSilent) as raised:
            await both.transport.receive()
        assert trio.current_time() == 45
        assert raised.value.seconds == 45
        assert both.transport.state is TransportState.ERROR
        assert both.transport.close_code == 1006
        with pytest.raises(PeerSilent):
            await both.transport.send(b"x")
        await both.peer.eof()


@sides
async def test_frames_count_as_much_as_pongs(side: str, autojump_clock: MockClock) -> None:
    async with met(side, ping_interval=20, ping_timeout=45) as both, trio.open_nursery() as nursery:

        async def talk() -> None:
            for _ in range(10):
                await trio.sleep(40)
                await both.peer.text("here")

        nursery.start_soon(talk)
        for _ in range(10):
            assert await both.transport.receive() == b"here"
        with pytest.raises(PeerSilent):
            await both.transport.receive()
        assert trio.current_time() == 445


@sides
async def test_without_pings_and_timeout_a_silent_peer_lives_for_ever(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both:
        with trio.move_on_after(1e6) as scope:
            await both.peer.event()
        assert scope.cancelled_caught
        assert both.transport.is_connected


@sides
async def test_a_peer_is_not_given_up_while_nobody_receives(side: str, autojump_clock: MockClock) -> None:
    """What is in the way of its pongs are its own messages, which wait for us."""
    async with met(side, ping_interval=20, ping_timeout=45) as both, trio.open_nursery() as nursery:

        async def talk() -> None:
            for number in range(200):
                await both.peer.text(f"{number}" * 1000)

        nursery.start_soon(talk)
        await trio.sleep(1000)
        assert both.transport.is_connected
        for number in range(200):
            assert await both.transport.receive() == (b"%d" % number) * 1000
        resumed = trio.current_time()
        with pytest.raises(PeerSilent):
            await both.transport.receive()
        assert trio.current_time() == resumed + 45


@sides
async def test_closing_goes_on_beyond_the_silence_that_would_end_it(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side, ping_interval=2, ping_timeout=5) as both:
        await trio.sleep(4)
        await both.transport.close()  # close_timeout is 10
        assert trio.current_time() == 14
        assert both.transport.state is TransportState.DISCONNECTED


@sides
async def test_pings_of_the_peer_are_answered_while_nobody_receives(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both:
        await both.peer.text("unread")
        await both.peer.send(Ping(b"there?"))
        assert await both.peer.event() == Pong(b"there?")


@sides
async def test_ping_waits_for_its_own_pong_or_a_later_one(side: str, autojump_clock: MockClock) -> None:
    async with met(side) as both, trio.open_nursery() as nursery:
        answered: list[int] = []

        async def ping(number: int) -> None:
            await both.transport.ping()
            answered.append(number)

        pings: list[Event | None] = []
        for number in range(3):
            nursery.start_soon(ping, number)
            pings.append(await both.peer.event())
        await both.peer.send(Pong(b"unasked"))
        await wait_all_tasks_blocked()
        assert not answered
        for expected, ping_event in (([0, 1], pings[1]), ([0, 1], pings[0]), ([0, 1, 2], pings[2])):
            assert isinstance(ping_event, Ping)
            await both.peer.send(ping_event.response())
            await wait_all_tasks_blocked()
            assert sorted(answered) == expected


@sides
async def test_ping_raises_after_its_time_and_the_connection_stays(
    side: str, autojump_clock: MockClock
) -> None:
    async with met(side) as both:
        held(both)
        with pytest.raises(PeerSilent) as raised:
            await both.transport.ping(timeout=2)
        assert raised.value.seconds == trio.current_time() == 2
        assert both.transport.is_connected
        held(both, False)
        pings: list[float] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, both.peer, pings)
            await both.transport.ping(timeout=2)
            nursery.cancel_scope.cancel()


@sides
@pytest.mark.parametrize("closes", [True, False])
async def test_ping_is_told_when_the_connection_ends(
    side: str, closes: bool, autojump_clock: MockClock
) -> None:
    async with met(side) as both, trio.open_nursery() as nursery:
        errors: list[TransportError] = []

        async def ping() -> None:
            with pytest.raises(TransportError) as raised:
                await both.transport.ping(timeout=100)
            errors.append(raised.value)

        nursery.start_soon(ping)
        await wait_all_tasks_blocked()
        if closes:
            await both.transport.close()
        else:
            await both.peer.stream.aclose()
        await wait_all_tasks_blocked()
        assert [type(error) for error in errors] == [TransportClosed if closes else ConnectionLost]
