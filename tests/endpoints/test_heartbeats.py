"""Heartbeats and keepalive, both ways (wire/aip.md 3)."""

import pytest
import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceClientEndpoint
from aip_trio.transport import MemoryNetwork
from tests.endpoints.memory import Arrivals, virtual
from tests.endpoints.peer import Mute, device, orchestrator
from tests.endpoints.support import Worker, quick, serving, until


@pytest.mark.trio
async def test_each_heartbeat_is_answered() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        answers = [await client.heartbeat(client_id="dev-1") for _ in range(3)]
        answers += [await orch.heartbeat(client_type="constellation"), await orch.heartbeat()]
        assert len({answer["response_id"] for answer in answers}) == 5


@pytest.mark.trio
async def test_a_client_that_answers_no_ping_is_closed_and_its_tasks_end_and_those_that_answer_live() -> None:
    async with (
        serving(ping_interval=0.2, ping_timeout=1.0) as server,
        Mute.open(server.url, "dev-1"),
        device(server.url, "dev-2") as other,
        orchestrator(server.url, target=None) as orch,
    ):
        began = trio.current_time()
        await orch.ask("s1", "dev-1", "look")
        end = await orch.end("s1")
        assert trio.current_time() - began >= 0.9
        assert (end["status"], end["error"]) == ("failed", "device_disconnected")
        await until(lambda: list(server.devices) == ["dev-2"])
        await other.heartbeat()  # the first frame of both in more than a second
        await orch.heartbeat()
        for each in (other, orch):
            await each.cut()  # trio-websocket trips over a ping that comes while it closes


@virtual
async def test_a_device_sends_a_heartbeat_in_each_interval_and_lives_by_the_answers() -> None:
    network = MemoryNetwork()
    async with open_system() as system:
        plain = Arrivals(network)
        await plain.open(system.nursery)
        endpoint = DeviceClientEndpoint(plain.url, Worker(), make_transport=network.transport)
        system.nursery.start_soon(endpoint.start)
        server = await plain.registered()
        began = trio.current_time()
        for number in range(1, 10):
            beat = await server.receive("heartbeat")
            assert (beat["client_id"], beat["status"]) == ("dev-1", "ok")
            assert trio.current_time() == pytest.approx(began + 20 * number)
            await server.send("heartbeat", response_id=str(number))
        assert endpoint.is_connected()
        await endpoint.stop()
        assert await server.closed() == 1000


@virtual
async def test_two_silent_intervals_end_the_connection_and_the_device_comes_back() -> None:
    network = MemoryNetwork()
    async with open_system() as system:
        plain = Arrivals(network)
        await plain.open(system.nursery)
        endpoint = DeviceClientEndpoint(
            plain.url, Worker(), reconnection_strategy=quick(), make_transport=network.transport
        )
        system.nursery.start_soon(endpoint.start)
        first = await plain.registered()
        began = trio.current_time()
        await first.receive("heartbeat")  # never answered
        assert await first.closed() == 1000
        assert trio.current_time() == pytest.approx(began + 40)
        second = await plain.registered()
        await second.send("command", "continue", session_id="s1", response_id="r1", actions=[])
        await second.receive("command_results")
        assert endpoint.is_connected()
        await endpoint.stop()


@virtual
async def test_anything_that_comes_is_a_sign_of_life() -> None:
    network = MemoryNetwork()
    async with open_system() as system:
        plain = Arrivals(network)
        await plain.open(system.nursery)
        endpoint = DeviceClientEndpoint(plain.url, Worker(), make_transport=network.transport)
        system.nursery.start_soon(endpoint.start)
        server = await plain.registered()
        for _ in range(10):
            await trio.sleep(30)
            await server.send("device_info_request", response_id="?")
        assert endpoint.is_connected()
        await endpoint.stop()


@virtual
async def test_an_orchestrator_keeps_each_connection_alive_and_notes_when_it_was_heard() -> None:
    network = MemoryNetwork()
    async with open_system() as system:
        plain = Arrivals(network)
        await plain.open(system.nursery)
        endpoint = ConstellationEndpoint("orch", make_transport=network.transport)
        await endpoint.start()
        profile = AgentProfile(device_id="dev-1", server_url=plain.url)
        system.nursery.start_soon(endpoint.connect_to_device, profile)
        server = await plain.registered()
        beat = await server.receive("heartbeat")
        assert (beat["client_id"], beat["client_type"]) == ("orch@dev-1", "constellation")
        assert profile.last_heartbeat is None
        await server.send("heartbeat", response_id="1")
        await server.receive("heartbeat")
        assert profile.last_heartbeat is not None
        assert profile.status == "connected"
        await server.closed()  # silent for two intervals
        await until(lambda: profile.status == "disconnected")
        await plain.registered()
        await until(lambda: profile.status == "connected")
        await endpoint.stop()
