"""Fleets whose sockets break: on a link that resumes nothing is lost, and nobody above it notices."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from aip_trio.actors import ActorSystem
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    ExecutionResult,
)
from aip_trio.messages import RunCommands
from aip_trio.protocol import SUBPROTOCOLS
from aip_trio.transport import MemoryNetwork, MemoryTransport
from tests.endpoints.crew import strategy
from tests.endpoints.memory import fleet, virtual
from tests.endpoints.support import Worker, action, until

LINKS = SUBPROTOCOLS[:-1]
WINDOW = 120.0


class Lines:
    """The sockets that one client has had."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.network = network
        self.made: list[MemoryTransport] = []
        #: whether the network lets new ones through
        self.open = True

    def make(self) -> MemoryTransport:
        transport = self.network.transport() if self.open else MemoryTransport()
        self.made.append(transport)
        return transport

    def cut(self) -> None:
        self.made[-1].cut()


class Gone(DeviceClientEndpoint):
    """Counts how often it was told of a lost connection."""

    lost = 0

    async def on_device_disconnected(self, device_id: str) -> None:
        self.lost += 1
        await super().on_device_disconnected(device_id)


@attrs.define(eq=False)
class Crew:
    system: ActorSystem
    server: DeviceServerEndpoint
    network: MemoryNetwork
    device: Gone
    worker: Worker
    orch: ConstellationEndpoint
    of_device: Lines
    of_orch: Lines

    async def task(self, *tools: str) -> ExecutionResult:
        commands = [{"tool_name": tool} for tool in tools or ("look",)]
        return await self.orch.send_task_to_device(
            "dev-1", {"metadata": {"commands": commands}, "timeout": 1000}
        )


@asynccontextmanager
async def crew(link: str = LINKS[0], **options: Any) -> AsyncGenerator[Crew]:
    async with fleet(links=[link], resume_window=WINDOW, **options) as (system, server, network):
        worker, of_device, of_orch = Worker(), Lines(network), Lines(network)
        device = Gone(
            "memory://server", worker, reconnection_strategy=strategy(), make_transport=of_device.make
        )
        orch = ConstellationEndpoint("orch", reconnection_strategy=strategy(), make_transport=of_orch.make)
        await device.start()
        await orch.start()
        await orch.connect_to_device(AgentProfile(device_id="dev-1", server_url="memory://server"))
        yield Crew(system, server, network, device, worker, orch, of_device, of_orch)
        worker.gate.set()
        await orch.stop()
        await device.stop()


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("end", ["device", "orch"])
def test_a_socket_that_breaks_in_the_middle_of_a_task_is_noticed_by_nobody(link: str, end: str) -> None:
    @virtual
    async def run() -> None:
        async with crew(link) as crew_:
            crew_.worker.hold()
            results: list[ExecutionResult] = []
            async with trio.open_nursery() as nursery:

                async def ask() -> None:
                    results.append(await crew_.task("look", "touch"))

                nursery.start_soon(ask)
                await until(lambda: crew_.worker.begun)
                lines = crew_.of_device if end == "device" else crew_.of_orch
                for _ in range(3):
                    lines.cut()
                    await trio.sleep(5)
                crew_.worker.gate.set()
            (result,) = results
            assert result.completed, result.error
            assert [tool for _, tool in crew_.worker.begun] == ["look", "touch"]
            assert crew_.worker.cancelled == []
            assert len(lines.made) == 4
            assert crew_.device.lost == 0
            assert crew_.device.is_connected()

    run()


@virtual
async def test_what_is_asked_while_a_socket_is_down_waits_for_the_next_one() -> None:
    async with crew() as crew_:
        crew_.of_device.open = False
        crew_.of_device.cut()
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                assert (await crew_.task("look")).completed

            nursery.start_soon(ask)
            await trio.sleep(WINDOW / 2)
            assert crew_.worker.begun == []
            assert crew_.server.devices
            crew_.of_device.open = True
        assert crew_.device.lost == 0


@virtual
async def test_beyond_the_window_the_task_fails_and_both_ends_say_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "aip_trio.endpoints")
    async with crew() as crew_:
        crew_.worker.hold()
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                result = await crew_.task("look")
                assert not result.completed
                assert result.error == "device_disconnected"

            nursery.start_soon(ask)
            await until(lambda: crew_.worker.begun)
            crew_.of_device.open = False
            crew_.of_device.cut()
            await trio.sleep(WINDOW + 1)
            assert crew_.server.devices == {}
            assert crew_.device.lost == 1
            assert crew_.worker.cancelled
            crew_.of_device.open = True
        assert "client dev-1 has lost its connection: it has 120 s to come back" in caplog.messages
        lost = [record.name for record in caplog.records if "is lost" in record.message]
        assert lost.count("aip_trio.protocol") == 2
        crew_.worker.gate.set()
        await until(crew_.device.is_connected)
        await crew_.orch.connect_to_device(crew_.orch.devices["dev-1"])
        assert (await crew_.task("look")).completed


@virtual
async def test_a_device_that_was_started_again_takes_its_place_at_once() -> None:
    async with crew() as crew_:
        crew_.worker.hold()
        crew_.of_device.open = False
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                assert (await crew_.task("look")).error == "device_disconnected"

            nursery.start_soon(ask)
            await until(lambda: crew_.worker.begun)
            crew_.of_device.cut()
            await trio.sleep(1)
            before = trio.current_time()
            again = DeviceClientEndpoint(
                "memory://server", Worker(), max_retries=3, make_transport=crew_.network.transport
            )
            await again.start()
            assert trio.current_time() == before
        await again.stop()


@virtual
async def test_a_server_that_stops_says_goodbye_to_links() -> None:
    async with crew() as crew_:
        await crew_.server.stop()
        assert not crew_.device.is_connected()
        assert crew_.device.lost == 1
        assert crew_.of_device.made[0].close_code is not None


@virtual
async def test_commands_that_come_twice_are_done_once_and_answered_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with crew() as crew_:
        (client,) = [each for each in crew_.server._hub.directory.clients.values() if each.is_device]
        batch = RunCommands([action("look")], "s1", "r1")
        await client.line.send(batch)
        await until(lambda: crew_.worker.begun)
        await client.line.send(batch)
        await client.line.send(RunCommands([action("look")], "s1", "r2"))
        await until(lambda: len(crew_.worker.begun) == 2)
        await trio.sleep(1)
        assert len(crew_.worker.begun) == 2
        # no task waits for these results, and the server says so to each answer
        assert caplog.text.count("no task of this device waits for results") == 3


@pytest.mark.parametrize(("window", "survives"), [(None, False), (10.0, True)])
def test_an_orchestrator_without_retries_resumes_where_it_is_told_to(
    window: float | None, survives: bool
) -> None:
    @virtual
    async def run() -> None:
        async with crew() as crew_:
            lines = Lines(crew_.network)
            once = ConstellationEndpoint(
                "once",
                reconnection_strategy=strategy(0),
                make_transport=lines.make,
                resume_window=window,
            )
            await once.start()
            await once.connect_to_device(AgentProfile(device_id="dev-1", server_url="memory://server"))
            lines.cut()
            await trio.sleep(1)
            assert once.is_device_connected("dev-1") is survives
            if survives:
                lines.open = False
                lines.cut()
                await trio.sleep(11)
                assert not once.is_device_connected("dev-1")
            await once.stop()

    run()
