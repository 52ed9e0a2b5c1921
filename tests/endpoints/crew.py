"""A whole fleet of real endpoints in one system, over a network in memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio

from aip_trio.actors import ActorSystem
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    ExecutionResult,
)
from aip_trio.errors import EndpointNotRunning
from aip_trio.resilience import ReconnectionStrategy
from aip_trio.transport import MemoryNetwork
from tests.endpoints.memory import fleet
from tests.endpoints.support import Worker, until

__all__ = ["Crew", "crew", "strategy"]


def strategy(max_retries: int | None = None) -> ReconnectionStrategy:
    """Comes back within seconds of virtual time, as often as it takes."""
    return ReconnectionStrategy(max_retries, initial_backoff=0.5, max_backoff=5.0, reset_after=0.0)


@attrs.define(eq=False)
class Crew:
    """Who belongs to it."""

    system: ActorSystem
    server: DeviceServerEndpoint
    network: MemoryNetwork
    device: DeviceClientEndpoint
    worker: Worker
    orch: ConstellationEndpoint

    async def task(self, session_id: str | None = None, *tools: str) -> ExecutionResult:
        """Have these tools run, or one."""
        commands = [{"tool_name": tool} for tool in tools or ("look",)]
        request = {"session_id": session_id, "metadata": {"commands": commands}, "timeout": 300}
        return await self.orch.send_task_to_device("dev-1", request)

    async def whole(self) -> None:
        """Wait until everybody is connected, where the orchestrator has not forgotten its device."""
        while not (
            self.device.is_connected()
            and self.orch.is_device_connected("dev-1")
            and set(self.server._hub.directory.clients) == {"dev-1", "orch@dev-1"}
        ):
            await trio.sleep(1)
            try:
                await self.orch.connect_to_device(self.orch.devices["dev-1"])
            except (ConnectionError, EndpointNotRunning):
                continue

    def crash(self, path: str) -> None:
        """Plant a crash in the actor at this path, whatever it is doing."""
        ref = self.system.find(path)
        assert ref is not None, f"{path} is not there:\n{self.system.tree()}"
        ref._cell.give_up(RuntimeError(f"planted in {path}"))


@asynccontextmanager
async def crew(**options: Any) -> AsyncGenerator[Crew]:
    """All of them connected, and stopped at the end, with nothing left."""
    async with fleet(**options) as (system, server, network):
        worker = Worker()
        device = DeviceClientEndpoint(
            "memory://server", worker, reconnection_strategy=strategy(), make_transport=network.transport
        )
        orch = ConstellationEndpoint(
            "orch", reconnection_strategy=strategy(), make_transport=network.transport
        )
        await device.start()
        await orch.start()
        profile = AgentProfile(device_id="dev-1", server_url="memory://server")
        await orch.connect_to_device(profile)
        await until(lambda: "orch@dev-1" in server._hub.directory.clients)
        yield Crew(system, server, network, device, worker, orch)
        worker.gate.set()
        await orch.stop()
        await device.stop()
