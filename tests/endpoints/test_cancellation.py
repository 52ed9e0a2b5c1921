"""Each call of an endpoint cancelled at every checkpoint: no hang, nothing left, and the fleet lives on."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    ExecutionResult,
)
from aip_trio.errors import StartCalledOff
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport
from tests.endpoints.crew import Crew, crew, strategy
from tests.endpoints.memory import MemoryWire, fleet
from tests.endpoints.peer import Peer, device
from tests.endpoints.steps import cancel_at_every_step
from tests.endpoints.support import Worker, living, quick, sockets, until


def every(scenario: Callable[[CancelPoint, Crew], Awaitable[None]], *, steps: bool = False) -> int:
    """Cancel a call of a whole fleet's, see that the fleet goes on, and that nothing is left of it."""

    async def run(point: CancelPoint) -> None:
        tasks = living()
        async with crew(info_timeout=1) as fleet:
            before = paths(fleet)
            await scenario(point, fleet)
            fleet.worker.gate.set()
            with trio.fail_after(60):
                await fleet.whole()
                assert (await fleet.task("after")).completed
                await until(lambda: paths(fleet) == before)
        assert living() == tasks, "a task is left"

    return cancel_at_every_step(run) if steps else cancel_at_every_checkpoint(run)


def paths(fleet: Crew) -> set[str]:
    """Who stands in the tree."""
    return {node.path for node in fleet.system.tree().walk()}


def test_connect_to_device() -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        async with DeviceClientEndpoint(
            "memory://server", Worker("dev-2"), make_transport=fleet.network.transport
        ) as second:
            profile = AgentProfile(device_id="dev-2", server_url="memory://server")
            with point:
                await fleet.orch.connect_to_device(profile)
            assert profile.status == ("failed" if point.cancelled else "connected")
            assert fleet.orch.is_device_connected("dev-2") is not point.cancelled
            if point.cancelled:
                assert fleet.system.find("/constellation/devices/dev-2") is None
                await until(lambda: "orch@dev-2" not in fleet.server._hub.directory.clients)
                await fleet.orch.connect_to_device(profile)
            assert (await fleet.orch.send_task_to_device("dev-2", look("s2"))).completed
            await fleet.orch.disconnect_device("dev-2")
            await second.stop()

    assert every(scenario) >= 1
    assert every(scenario, steps=True) >= 20


def look(session_id: str) -> dict[str, object]:
    """A task of one command."""
    return {"session_id": session_id, "metadata": {"commands": [{"tool_name": "look"}]}}


def test_send_task_to_device() -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        result: ExecutionResult | None = None
        with point:
            result = await fleet.task("s1")
        if not point.cancelled:
            assert result is not None
            assert result.completed
        assert fleet.orch.devices["dev-1"].current_task_id is None
        assert (await fleet.task("s2")).completed
        await until(lambda: not fleet.server.sessions_of("dev-1"))  # whether it had gone out or not
        assert (await fleet.task("s1")).completed

    assert every(scenario) >= 2
    assert every(scenario, steps=True) >= 20


def test_device_info() -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        info: dict[str, object] | None = None
        with point:
            info = await fleet.orch.device_info("dev-1")
        if not point.cancelled:
            assert info == {}
        assert fleet.orch._roster.questions == {}
        assert await fleet.orch.device_info("dev-1") == {}

    assert every(scenario) >= 2
    assert every(scenario, steps=True) >= 10


@pytest.mark.parametrize("endpoint", ["device", "orch"])
def test_reconnect_device(endpoint: str) -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        with point:
            await getattr(fleet, endpoint).reconnect_device("dev-1")
        if point.cancelled:  # what it began is done all the same, or is done anew
            await getattr(fleet, endpoint).reconnect_device("dev-1")

    assert every(scenario) >= 2
    assert every(scenario, steps=True) >= 20


def test_disconnect_device() -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        profile = fleet.orch.devices["dev-1"]
        with point:
            await fleet.orch.disconnect_device("dev-1")
        with suppress(ConnectionError):
            await fleet.orch.disconnect_device("dev-1")
        await fleet.orch.connect_to_device(profile)

    assert every(scenario) >= 1


def test_cancel_device_tasks_of_a_server() -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        fleet.worker.hold()
        results: list[ExecutionResult] = []

        async def task() -> None:
            results.append(await fleet.task("s1"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(task)
            await until(lambda: fleet.worker.begun)
            with point:
                await fleet.server.cancel_device_tasks("dev-1", "maintenance")
            fleet.worker.gate.set()
        (result,) = results
        assert result.error == "maintenance" or (point.cancelled and result.completed)

    assert every(scenario) >= 1


def test_offer_task() -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        with point:
            await fleet.server.offer_task("dev-1", "look")
        await until(lambda: not fleet.server.sessions_of("dev-1"))

    assert every(scenario) >= 1


def test_push_device_info() -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        with point:
            await fleet.device.push_device_info()

    assert every(scenario) >= 1


def test_handle_websocket() -> None:
    async def scenario(point: CancelPoint, fleet: Crew) -> None:
        here, there = MemoryTransport.pair()
        client = Peer(MemoryWire(here))
        async with trio.open_nursery() as nursery:

            async def live() -> None:
                with suppress(Exception):
                    await client.register("dev-2")
                    await client.heartbeat()
                    await client.close()

            nursery.start_soon(live)
            with point:
                await fleet.server.handle_websocket(there)
            await until(lambda: "dev-2" not in fleet.server.devices)
            if here.is_connected:  # it had not registered, and was the caller's to close
                await there.close()
        assert fleet.system.find("/server/connections/dev-2") is None

    assert every(scenario) >= 3
    assert every(scenario, steps=True) >= 20


@asynccontextmanager
async def alone() -> AsyncGenerator[None]:
    """A system that has to be empty at its end, and leave no task."""
    tasks = living()
    async with open_system() as system:
        yield
        await until(lambda: system.tree().children == ())
    assert living() == tasks


def test_start_and_stop_of_a_device() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with alone(), fleet() as (_, server, network):
            endpoint = DeviceClientEndpoint(
                "memory://server",
                Worker(),
                make_transport=network.transport,
                reconnection_strategy=strategy(),
            )
            with point:
                await endpoint.start()
            if point.cancelled:
                assert endpoint.lifecycle.state.name == "STOPPED"
                await until(lambda: not server.devices)
                endpoint = DeviceClientEndpoint("memory://server", Worker(), make_transport=network.transport)
                await endpoint.start()
            assert list(server.devices) == ["dev-1"]
            await endpoint.stop()

    assert cancel_at_every_checkpoint(scenario) >= 1
    assert cancel_at_every_step(scenario) >= 20

    async def stopped(point: CancelPoint) -> None:
        async with alone(), fleet() as (_, server, network):
            endpoint = DeviceClientEndpoint("memory://server", Worker(), make_transport=network.transport)
            await endpoint.start()
            with point:
                await endpoint.stop()
            await endpoint.stop()
            assert endpoint.lifecycle.state.name == "STOPPED"
            await until(lambda: not server.devices)

    assert cancel_at_every_checkpoint(stopped) >= 1
    assert cancel_at_every_step(stopped) >= 10


def test_stop_while_a_device_starts() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with alone(), fleet() as (_, _, network):
            endpoint = DeviceClientEndpoint(
                "memory://nobody",
                Worker(),
                make_transport=network.transport,
                reconnection_strategy=strategy(),
            )

            async def start() -> None:
                with pytest.raises(StartCalledOff):
                    await endpoint.start()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(start)
                await trio.sleep(1)
                with point:
                    await endpoint.stop()
                await endpoint.stop()

    assert cancel_at_every_checkpoint(scenario) >= 1


@pytest.mark.parametrize("make", [DeviceServerEndpoint, lambda: ConstellationEndpoint("orch")])
def test_start_and_stop_of_a_server_and_an_orchestrator(
    make: Callable[[], DeviceServerEndpoint | ConstellationEndpoint],
) -> None:
    async def started(point: CancelPoint) -> None:
        async with alone():
            endpoint = make()
            with point:
                await endpoint.start()
            assert (endpoint.lifecycle.state.name == "STOPPED") is point.cancelled
            await endpoint.stop()

    assert cancel_at_every_checkpoint(started) >= 1
    assert cancel_at_every_step(started) >= 5

    async def stopped(point: CancelPoint) -> None:
        async with alone():
            endpoint = make()
            await endpoint.start()
            with point:
                await endpoint.stop()
            await endpoint.stop()
            assert endpoint.lifecycle.state.name == "STOPPED"

    assert cancel_at_every_checkpoint(stopped) >= 1
    assert cancel_at_every_step(stopped) >= 5


def test_stop_of_a_busy_server() -> None:
    async def scenario(point: CancelPoint) -> None:
        tasks = living()
        async with crew() as fleet:
            fleet.worker.hold()
            results: list[ExecutionResult] = []

            async def task() -> None:
                results.append(await fleet.task("s1"))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(task)
                await until(lambda: fleet.worker.begun)
                with point:
                    await fleet.server.stop()
                await fleet.server.stop()
            assert [result.error for result in results] == ["server_stopping"]
        assert living() == tasks

    assert cancel_at_every_checkpoint(scenario) >= 1
    assert cancel_at_every_step(scenario) >= 20


# Over real sockets


def real(scenario: Callable[[CancelPoint], Awaitable[None]], at_least: int) -> None:
    """The same on the real clock; no socket may be left either."""
    before = sockets()

    def check() -> None:
        assert sockets() == before, "a socket is left"

    assert cancel_at_every_checkpoint(scenario, check=check, virtual_time=False, patience=20) >= at_least


def test_start_and_stop_of_a_server_that_listens() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with alone():
            server = DeviceServerEndpoint(port=0)
            with point:
                await server.start()
                async with device(server.url) as client:
                    await client.heartbeat()
                await server.stop()
            await server.stop()

    real(scenario, 5)


def test_start_of_a_device_over_a_socket() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with alone():
            server = DeviceServerEndpoint(port=0)
            await server.start()
            endpoint = DeviceClientEndpoint(server.url, Worker(), reconnection_strategy=quick())
            with point:
                await endpoint.start()
            await endpoint.stop()
            async with device(server.url, "dev-2") as client:
                await client.heartbeat()
            await until(lambda: not server.devices)
            await server.stop()

    real(scenario, 1)


def test_connecting_and_a_task_over_a_socket() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with alone():
            server = DeviceServerEndpoint(port=0)
            await server.start()
            endpoint = DeviceClientEndpoint(server.url, Worker())
            await endpoint.start()
            orch = ConstellationEndpoint("orch")
            await orch.start()
            profile = AgentProfile(device_id="dev-1", server_url=server.url)
            with point:
                await orch.connect_to_device(profile)
                assert (await orch.send_task_to_device("dev-1", look("s1"))).completed
            await orch.connect_to_device(profile)
            assert (await orch.send_task_to_device("dev-1", look("s2"))).completed
            await until(lambda: not server.sessions_of("dev-1"))
            for each in (orch, endpoint, server):
                await each.stop()

    real(scenario, 2)
