"""A crash anywhere: one outcome for what was under way, and then the fleet goes on; in virtual time."""

import logging

import pytest
import trio

from aip_trio.actors import ChildState, Crashed, Terminated, open_system
from aip_trio.actors._handlers import Handler
from aip_trio.endpoints import (
    ClientState,
    ConstellationState,
    DeviceServerEndpoint,
    ExecutionResult,
    ServerState,
    Session,
)
from aip_trio.endpoints.server._keeper import Keeper
from aip_trio.errors import RestartIntensityExceeded
from aip_trio.messages import TaskStatus
from aip_trio.transport import MemoryTransport
from tests.actors.support import watching
from tests.endpoints.crew import Crew, crew
from tests.endpoints.memory import HeldTransport, MemoryWire, fleet, memory_peer, virtual
from tests.endpoints.peer import Peer, device, orchestrator
from tests.endpoints.support import action, serving, until

ACTORS = [
    "/server/directory",
    "/server/connections",
    "/server/connections/dev-1",
    "/server/connections/dev-1/link",
    "/server/connections/dev-1/session",
    "/server/connections/orch@dev-1",
    "/server/connections/orch@dev-1/link",
    "/server/connections/orch@dev-1/session",
    "/server/tasks",
    "/server/tasks/Task-1",
    "/server/listener",
    "/device/executor",
    "/device/outbox",
    "/device/watch",
    "/device/connection",
    "/device/connection/link",
    "/device/connection/session",
    "/device/connection/heartbeat",
    "/constellation/roster",
    "/constellation/devices",
    "/constellation/devices/dev-1",
    "/constellation/devices/dev-1/outbox",
    "/constellation/devices/dev-1/connection",
    "/constellation/devices/dev-1/connection/link",
    "/constellation/devices/dev-1/connection/session",
    "/constellation/devices/dev-1/connection/heartbeat",
]


async def under_way(fleet: Crew, nursery: trio.Nursery, results: list[ExecutionResult]) -> None:
    """Have a task run whose first command is held up at the device."""
    fleet.worker.hold()

    async def task() -> None:
        results.append(await fleet.task("s1", "look", "touch"))

    nursery.start_soon(task)
    await until(lambda: fleet.worker.begun)


async def goes_on(fleet: Crew) -> None:
    """Everybody is back, and does what is asked."""
    fleet.worker.gate.set()
    with trio.fail_after(60):
        await fleet.whole()
    for _ in range(2):
        result = await fleet.task("s1")
        assert result.completed, result
    assert (await fleet.orch.request_device_info("dev-1")) is not None
    assert fleet.server.sessions_of("dev-1") == []
    assert fleet.device.lifecycle.state is ClientState.CONNECTED
    assert fleet.orch.lifecycle.state is ConstellationState.ACTIVE
    assert fleet.server.lifecycle.state is ServerState.HANDLING
    assert fleet.orch.devices["dev-1"].status == "connected"


@pytest.mark.parametrize("path", ACTORS)
def test_a_crash_anywhere_is_got_over(path: str) -> None:
    @virtual
    async def test() -> None:
        async with crew(info_timeout=1) as fleet, trio.open_nursery() as nursery:
            assert {node.path for node in fleet.system.tree().walk()} - {"/"} >= set(ACTORS) - {
                "/server/tasks/Task-1"
            }
            results: list[ExecutionResult] = []
            await under_way(fleet, nursery, results)
            with watching(fleet.system) as watch:
                fleet.crash(path)
                await trio.testing.wait_all_tasks_blocked()
                assert path in [event.path for event in watch.all if isinstance(event, Crashed)]
                fleet.worker.gate.set()
                with trio.fail_after(60):
                    await until(lambda: results)
            (result,) = results
            assert result.status in (TaskStatus.COMPLETED, TaskStatus.FAILED)
            if not result.completed:
                assert result.error in (
                    "device_disconnected",
                    "constellation_disconnected",
                    "server_stopping",
                    "internal_error",
                ), result
            await goes_on(fleet)
            assert len(results) == 1

    test()


@virtual
async def test_what_crashes_beside_a_task_does_not_touch_it() -> None:
    async with crew() as fleet, trio.open_nursery() as nursery:
        results: list[ExecutionResult] = []
        await under_way(fleet, nursery, results)
        for path in ("/server/directory", "/server/listener", "/constellation/roster"):
            fleet.crash(path)
            await trio.testing.wait_all_tasks_blocked()
        fleet.worker.gate.set()
        await until(lambda: results)
        assert results[0].completed


@virtual
async def test_a_keepers_crash_keeps_the_clients_and_their_coming_and_going_is_noticed() -> None:
    async with crew() as fleet:
        for _ in range(3):
            fleet.crash("/server/directory")
            await trio.testing.wait_all_tasks_blocked()
        assert list(fleet.server.devices) == ["dev-1"]
        other = await memory_peer(fleet.network)
        await other.register("dev-2")
        assert list(fleet.server.devices) == ["dev-1", "dev-2"]
        await other.cut()
        await until(lambda: list(fleet.server.devices) == ["dev-1"])
        await fleet.device.stop()
        await until(lambda: not fleet.server.devices)


def test_who_leaves_while_the_keeper_is_down_is_noticed_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a poisonous message: what it had in hand is lost, and looked at anew."""
    gone = Keeper._handlers[Terminated].function
    poisoned: list[Terminated] = []

    async def poison(self: Keeper, message: Terminated) -> None:
        if not poisoned:
            poisoned.append(message)
            raise RuntimeError("planted")
        await gone(self, message)

    monkeypatch.setitem(Keeper._handlers, Terminated, Handler("gone", poison, deferred=False))

    @virtual
    async def test() -> None:
        async with crew() as fleet:
            other = await memory_peer(fleet.network)
            await other.register("dev-2")
            await other.cut()
            await until(lambda: list(fleet.server.devices) == ["dev-1"])
            assert len(poisoned) == 1

    test()


@virtual
async def test_a_connection_that_is_long_in_closing_does_not_keep_its_client_out() -> None:
    async with crew() as fleet:
        here, there = HeldTransport.pair()
        assert isinstance(there, HeldTransport)
        there.gate = trio.Event()
        fleet.system.nursery.start_soon(fleet.server.handle_websocket, there)
        await Peer(MemoryWire(here)).register("dev-2")
        fleet.crash("/server/connections/dev-2/session")
        await until(lambda: "dev-2" not in fleet.server.devices)
        again = await memory_peer(fleet.network)
        await again.register("dev-2")
        await again.heartbeat()
        assert trio.current_time() < 20
        assert list(fleet.server.devices) == ["dev-1", "dev-2"]


@virtual
async def test_a_server_whose_parts_crash_too_often_gives_up_and_says_so() -> None:
    async with open_system() as system:
        server = DeviceServerEndpoint()
        await server.start()
        for _ in range(4):
            ref = system.find("/server/directory")
            assert ref is not None
            ref._cell.give_up(RuntimeError("planted"))
            await trio.testing.wait_all_tasks_blocked()
        await server.stopped()
        assert server.lifecycle.state is ServerState.STOPPED
        assert system.tree().children == ()
        await server.stop()


@virtual
async def test_in_a_system_of_its_own_an_endpoints_failure_is_the_systems() -> None:
    server = DeviceServerEndpoint()
    with pytest.raises(RestartIntensityExceeded):
        async with server:
            for _ in range(4):
                keeper = server.system.find("/server/directory")
                assert keeper is not None
                keeper._cell.give_up(RuntimeError("planted"))
                await trio.testing.wait_all_tasks_blocked()
            await trio.sleep_forever()
    assert server.lifecycle.state is ServerState.STOPPED


@virtual
async def test_a_device_whose_executor_crashes_for_ever_gives_up() -> None:
    async with crew() as fleet:
        with trio.fail_after(1000):
            while fleet.device.lifecycle.state is not ClientState.STOPPED:
                if fleet.system.find("/device/executor") is not None:
                    fleet.crash("/device/executor")
                await trio.sleep(0.01)
        await fleet.device.stopped()
        assert not fleet.server.devices


@virtual
async def test_a_tree_that_is_ended_by_other_hands_is_an_end_all_the_same() -> None:
    async with crew() as fleet:
        for endpoint in (fleet.orch, fleet.device, fleet.server):
            fleet.crash(endpoint.ref.path)
            await endpoint.stopped()
            assert endpoint.lifecycle.state.name == "STOPPED"
            assert not endpoint.is_connected()
        assert fleet.system.tree().children == ()


@virtual
async def test_a_tasks_crash_is_told_to_both_ends_once() -> None:
    async def look(session: Session) -> None:
        await session.execute(action("look"))

    async with fleet(task=look) as (system, _, network):
        client, orch = await memory_peer(network), await memory_peer(network)
        await client.register("dev-1")
        await orch.register("orch", "constellation", target_id="dev-1")
        await orch.ask("s1", "dev-1")
        await client.command("s1")
        task = system.find("/server/tasks/Task-1")
        assert task is not None
        task._cell.give_up(RuntimeError("planted"))
        for each in (client, orch):
            assert (await each.end("s1"))["error"] == "internal_error"
            await each.heartbeat()
        await orch.ask("s1", "dev-1")
        await client.answer(await client.command("s1"), "seen")
        assert (await orch.end("s1"))["status"] == "completed"


@pytest.mark.trio
async def test_a_listeners_crash_costs_the_connections_and_the_port_is_kept() -> None:
    async with serving() as server:
        port = server.port
        async with device(server.url) as client, orchestrator(server.url) as orch:
            await orch.ask("s1", "dev-1", "look")
            await client.command("s1")
            listener = server.system.find("/server/listener")
            assert listener is not None
            listener._cell.give_up(RuntimeError("planted"))
            await until(lambda: listener._cell.restarts and listener._cell.state is ChildState.RUNNING)
            for each in (client, orch):
                frames, code = await each.rest()
                assert [frame["type"] for frame in frames] in ([], ["task_end"])
                assert code in (1001, 1006)
        await until(lambda: not server.is_connected())
        assert server.port == port
        async with device(server.url) as client:
            await client.heartbeat()


@virtual
async def test_nothing_is_logged_as_an_error_where_peers_come_and_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        async with crew() as fleet:
            assert (await fleet.task()).completed
            for client_id in ("dev-1", "orch@dev-1"):
                websocket = fleet.server._hub.directory.clients[client_id].websocket
                assert isinstance(websocket, MemoryTransport)
                websocket.cut()
                await trio.testing.wait_all_tasks_blocked()
                await fleet.whole()
                assert (await fleet.task()).completed
    assert caplog.records == []
