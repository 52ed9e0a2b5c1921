"""HeartbeatProtocol over a connection, in virtual time (wire/aip.md 3)."""

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.actors import Actor, Request, handles, open_system
from aip_trio.errors import InvalidSpec, NoNursery
from aip_trio.messages import ClientMessage, ClientType
from aip_trio.protocol import AIPProtocol, HeartbeatProtocol, HeartbeatState
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport


def ends(nursery: trio.Nursery | None = None) -> tuple[HeartbeatProtocol, AIPProtocol]:
    client, server = MemoryTransport.pair()
    return HeartbeatProtocol(client, nursery=nursery), AIPProtocol(server)


@pytest.mark.trio
async def test_a_heartbeat_and_its_answer() -> None:
    client, server = MemoryTransport.pair()
    device, answering = HeartbeatProtocol(client), HeartbeatProtocol(server)
    await device.send_heartbeat("dev", {"load": 0.5})
    beat = await answering.receive_message(ClientMessage)
    assert (beat.type, beat.status, beat.client_id) == ("heartbeat", "ok", "dev")
    assert beat.client_type is ClientType.DEVICE
    assert beat.metadata == {"load": 0.5}
    assert beat.timestamp
    await answering.send_heartbeat_ack("r1")
    ack = await device.receive_message()
    assert (ack.type, ack.status, ack.response_id) == ("heartbeat", "ok", "r1")


@pytest.mark.trio
async def test_a_constellation_may_say_what_it_is() -> None:
    client, server = MemoryTransport.pair()
    await HeartbeatProtocol(client, client_type=ClientType.CONSTELLATION).send_heartbeat("orch")
    message = await AIPProtocol(server).receive_message(ClientMessage)
    assert message.client_type is ClientType.CONSTELLATION


def state(protocol: HeartbeatProtocol) -> HeartbeatState:
    """It changes with time, which a type checker does not expect of a property."""
    return protocol.state


async def beats(server: AIPProtocol, number: int) -> list[float]:
    """When so many heartbeats came."""
    times: list[float] = []
    for _ in range(number):
        assert (await server.receive_message(ClientMessage)).client_id == "dev"
        times.append(trio.current_time())
    return times


@pytest.mark.trio
async def test_heartbeats_go_out_until_they_are_stopped(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        client, server = ends(nursery)
        await client.start_heartbeat("dev", 20.0)
        assert await beats(server, 3) == [20.0, 40.0, 60.0]
        await client.stop_heartbeat()
        await client.stop_heartbeat()  # again: nothing to do
        assert client.state is HeartbeatState.IDLE
        with trio.move_on_after(100) as scope:
            await server.receive_message(ClientMessage)
        assert scope.cancelled_caught


@pytest.mark.trio
async def test_a_second_start_takes_the_first_ones_place(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        client, server = ends(nursery)
        await client.start_heartbeat("dev")
        await client.start_heartbeat("dev", 7.0)
        assert await beats(server, 2) == [7.0, 14.0]
        with pytest.raises(InvalidSpec, match="interval"):
            await client.start_heartbeat("dev", 0)
        assert await beats(server, 1) == [21.0]  # it goes on as it was
        await client.stop_heartbeat()


@pytest.mark.trio
async def test_starts_at_the_same_time_leave_one_heartbeat(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        client, server = ends(nursery)
        async with trio.open_nursery() as starters:
            for _ in range(3):
                starters.start_soon(client.start_heartbeat, "dev", 7.0)
        assert await beats(server, 3) == [7.0, 14.0, 21.0]
        await client.stop_heartbeat()
        assert not nursery.child_tasks


@pytest.mark.trio
async def test_an_actor_that_was_restarted_starts_them_anew(autojump_clock: MockClock) -> None:
    client, server = ends()
    async with open_system() as system:
        for _ in range(2):
            owner = await system.spawn(Owner, client, name="owner")
            await owner.ask(Beat())
            start = trio.current_time()
            assert await beats(server, 2) == [start + 10.0, start + 20.0]
            await owner.stop()


@pytest.mark.trio
async def test_two_silent_intervals_and_the_peer_is_lost_until_it_is_heard(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        client, server = ends(nursery)
        await client.start_heartbeat("dev", 20.0)
        await trio.sleep(19)
        assert state(client) is HeartbeatState.ALIVE
        await trio.sleep(1)
        assert state(client) is HeartbeatState.SUSPECT
        await server.send_error("anything that is heard counts")
        await client.receive_message()
        assert state(client) is HeartbeatState.ALIVE
        await trio.sleep(40)
        assert state(client) is HeartbeatState.LOST
        await server.send_ack()
        await client.receive_message()
        assert state(client) is HeartbeatState.ALIVE
        await client.stop_heartbeat()


@pytest.mark.trio
async def test_a_connection_that_ends_is_for_who_reads_from_it(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        client, server = ends(nursery)
        await client.start_heartbeat("dev", 20.0)
        await server.close()
        await trio.sleep(100)
        with pytest.raises(ConnectionError):
            await client.receive_message()
        await client.stop_heartbeat()


@pytest.mark.trio
async def test_outside_of_a_system_it_needs_a_nursery() -> None:
    client, _ = ends()
    with pytest.raises(NoNursery, match="open_system"):
        await client.start_heartbeat("dev")
    assert client.state is HeartbeatState.IDLE


@attrs.frozen
class Beat(Request[None]):
    """Start the heartbeats."""


class Owner(Actor):
    """Its heartbeats live as long as it does."""

    def __init__(self, protocol: HeartbeatProtocol) -> None:
        self.protocol = protocol

    @handles
    async def beat(self, message: Beat) -> None:
        await self.protocol.start_heartbeat("dev", 10.0)


@pytest.mark.trio
async def test_inside_an_actor_they_end_with_it(autojump_clock: MockClock) -> None:
    client, server = ends()
    async with open_system() as system:
        owner = await system.spawn(Owner, client)
        await owner.ask(Beat())
        assert await beats(server, 2) == [10.0, 20.0]
        assert state(client) is HeartbeatState.LOST
        await owner.stop()
        assert state(client) is HeartbeatState.IDLE
        with trio.move_on_after(100) as scope:
            await server.receive_message(ClientMessage)
        assert scope.cancelled_caught


def test_every_call_can_be_cancelled_anywhere() -> None:
    async def starting(point: CancelPoint) -> None:
        async with trio.open_nursery() as nursery:
            client, server = ends(nursery)
            await client.start_heartbeat("dev", 10.0)
            with point:
                await client.start_heartbeat("dev", 5.0)
            await wait_all_tasks_blocked()
            running = client.state is not HeartbeatState.IDLE
            assert bool(nursery.child_tasks) == running
            await client.start_heartbeat("dev", 3.0)
            assert await beats(server, 2) == [3.0, 6.0]
            await client.stop_heartbeat()

    async def stopping(point: CancelPoint) -> None:
        async with trio.open_nursery() as nursery:
            client, _ = ends(nursery)
            await client.start_heartbeat("dev", 10.0)
            with point:
                await client.stop_heartbeat()
            await client.stop_heartbeat()
            assert client.state is HeartbeatState.IDLE

    async def sending(point: CancelPoint) -> None:
        client, _ = ends()
        with point:
            await client.send_heartbeat("dev")

    for scenario in (starting, stopping, sending):
        assert cancel_at_every_checkpoint(scenario) >= 1
