"""RPC_BRIDGE_MACHINE walked beside a real bridge."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import ActorSystem, open_system
from aip_trio.endpoints import DeviceClientEndpoint
from aip_trio.errors import ConnectionLost, IllegalTransition
from aip_trio.rpc.bridge import RPC_BRIDGE_MACHINE, RpcBridge, RpcBridgeEvent, RpcBridgeState
from aip_trio.rpc.bridge._sessions import Sessions
from aip_trio.rpc.client import PresenceState
from aip_trio.testing import async_machine_test
from aip_trio.transport import MemoryNetwork
from tests.actors.model._settings import examples
from tests.endpoints.memory import Arrivals
from tests.endpoints.peer import Peer
from tests.rpc.bridge.support import FakeService

_RUNNING = set(RpcBridgeState) - {RpcBridgeState.CREATED, RpcBridgeState.STOPPED}


class NoCause(Exception):
    """Nothing that can happen to a bridge in this state has this effect."""


class SlowToLeave(DeviceClientEndpoint):
    """Ends no sooner than it may."""

    gate: trio.Event

    async def stop(self) -> None:
        await self.gate.wait()
        await super().stop()


class GatedBridge(RpcBridge):
    """Whose device leaves no sooner than it may."""

    gate = trio.Event()

    def _make_endpoint(self, name: str, new_sessions: Callable[[], Sessions]) -> DeviceClientEndpoint:
        endpoint: Any = super()._make_endpoint(name, new_sessions)
        endpoint.__class__ = SlowToLeave
        endpoint.gate = self.gate
        made: DeviceClientEndpoint = endpoint
        return made


class RealBridge:
    """A bridge between a service and a server that do as they are told; each event by what causes it."""

    def __init__(
        self, system: ActorSystem, bridge: GatedBridge, service: FakeService, server: Arrivals
    ) -> None:
        self.system = system
        self.bridge = bridge
        self.service = service
        self.server = server

    @property
    def state(self) -> RpcBridgeState:
        return self.bridge.state

    async def fire(self, event: RpcBridgeEvent) -> None:
        before = self.state
        await getattr(self, f"_{event.value}")()
        await wait_all_tasks_blocked()
        if self.state is before:
            raise NoCause

    async def _start(self) -> None:
        await self.bridge.start()

    async def _present(self) -> None:
        await self._becomes(PresenceState.PRESENT)

    async def _missing(self) -> None:
        await self._becomes(PresenceState.MISSING)

    async def _gone(self) -> None:
        endpoint: Any = self.bridge._shared.endpoint
        if endpoint is not None:
            endpoint.gate = self.bridge.gate = trio.Event()
        await self._becomes(PresenceState.GONE)

    async def _becomes(self, state: PresenceState) -> None:
        """What has no effect now must have none later, either."""
        self._only_in(*_RUNNING - {RpcBridgeState.LEAVING})
        earlier, before = self.service.state, self.state
        await self.service.becomes(state)
        if self.state is before:
            await self.service.becomes(earlier)

    async def _registered(self) -> None:
        self._only_in(RpcBridgeState.JOINING)
        while not await _accepted(await self.server.accept()):
            pass

    async def _left(self) -> None:
        self._only_in(RpcBridgeState.LEAVING)
        self.bridge.gate.set()

    async def _lost(self) -> None:
        """The actor that keeps the endpoint crashes; nothing is known of the service, so that it stays so."""
        self._only_in(*_RUNNING)
        self.bridge.gate.set()
        await self.service.becomes(PresenceState.UNKNOWN)
        ref = self.system.find("/bridge/fleet")
        assert ref is not None
        actor = ref._cell.actor
        assert actor is not None
        actor.nursery.start_soon(self._burst)
        await trio.sleep(100)  # it counts as healthy again

    async def _burst(self) -> None:
        raise RuntimeError("planted")

    async def _stop(self) -> None:
        self.bridge.gate.set()
        await self.bridge.stop()

    def _only_in(self, *states: RpcBridgeState) -> None:
        if self.state not in states:
            raise NoCause


async def _accepted(client: Peer) -> bool:
    """False of an earlier connection, which has gone by now."""
    await client.receive("register")
    try:
        await client.send("heartbeat", response_id="welcome")
    except ConnectionLost:
        return False
    return True


@asynccontextmanager
async def open_bridge() -> AsyncGenerator[RealBridge]:
    network, service = MemoryNetwork(), FakeService()
    server = Arrivals(network)
    async with open_system() as system:
        await server.open(system.nursery)
        bridge = GatedBridge(server.url, make_client=service.client, make_transport=network.transport)
        bridge.gate = trio.Event()
        bridge.gate.set()
        yield RealBridge(system, bridge, service, server)
        bridge.gate.set()
        await bridge.stop()


TestBridge = async_machine_test(
    RPC_BRIDGE_MACHINE,
    open_bridge,
    refusals=(NoCause, IllegalTransition),
    patience=200.0,
    settings=examples(40),
)
