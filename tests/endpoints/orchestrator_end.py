"""An orchestrator of ours at a plain server, over real sockets."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import trio

from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    ConstellationState,
    ExecutionResult,
)
from tests.endpoints.peer import Frame, Peer, PlainServer
from tests.endpoints.support import patient, quick

__all__ = ["Sent", "connect", "connected", "orchestrating", "state"]


@asynccontextmanager
async def orchestrating(**options: Any) -> AsyncGenerator[tuple[ConstellationEndpoint, PlainServer]]:
    """An orchestrator without devices, and a plain server for it."""
    async with patient() as system, PlainServer.open() as plain:
        options.setdefault("reconnection_strategy", quick())
        endpoint = ConstellationEndpoint("orch", **options)
        await endpoint.start()
        yield endpoint, plain
        await endpoint.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]


async def connect(
    endpoint: ConstellationEndpoint, plain: PlainServer, device_id: str = "dev-1", **options: Any
) -> tuple[Peer, AgentProfile, Frame]:
    """Connect to a device: the server's side of it, the profile, and what it registered as."""
    profile = AgentProfile(device_id=device_id, server_url=plain.url, **options)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(endpoint.connect_to_device, profile)
        server, register = await plain.registered()
    return server, profile, register


@asynccontextmanager
async def connected(**options: Any) -> AsyncGenerator[tuple[ConstellationEndpoint, Peer, PlainServer]]:
    """An orchestrator that is connected for dev-1."""
    async with orchestrating(**options) as (endpoint, plain):
        server, _, _ = await connect(endpoint, plain)
        yield endpoint, server, plain


def state(endpoint: ConstellationEndpoint) -> ConstellationState:
    """Where it stands."""
    return endpoint.lifecycle.state


class Sent:
    """A task that is sent in the background."""

    def __init__(self, nursery: trio.Nursery, endpoint: ConstellationEndpoint, **request: Any) -> None:
        self.result: ExecutionResult | BaseException | None = None
        self.lines: list[str] = []
        nursery.start_soon(self._send, endpoint, request)

    async def _send(self, endpoint: ConstellationEndpoint, request: dict[str, Any]) -> None:
        try:
            self.result = await endpoint.send_task_to_device("dev-1", request, on_log=self.lines.append)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.result = error

    @property
    def ended(self) -> ExecutionResult:
        assert isinstance(self.result, ExecutionResult), self.result
        return self.result
