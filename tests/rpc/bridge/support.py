"""A bridge in virtual time: the RPC service is made up, the fleet is real, and all of it in memory."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import ActorSystem
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceServerEndpoint,
    ExecutionResult,
)
from aip_trio.rpc import ApiCommand, ApiCommandRequestResult, ApiEventKind, ApiTopic
from aip_trio.rpc._wire import Reply
from aip_trio.rpc.bridge import RpcBridge
from aip_trio.rpc.client import Event, Heartbeat, Presence, PresenceState
from aip_trio.transport import MemoryNetwork
from tests.endpoints.memory import fleet
from tests.endpoints.support import quick

__all__ = ["Crew", "FakeClient", "FakeService", "beat", "bridging", "event"]


def beat(identifier: str = "bench-1", version: str = "1.0") -> Heartbeat:
    """A heartbeat."""
    return Heartbeat(ApiTopic.HEARTBEAT, {}, None, None, identifier, version, 0.0, None)


def event(kind: int, topic: ApiTopic = ApiTopic.EVENT, **context: object) -> Event:
    """Something that happened."""
    data = {"kind": kind, "when": 1.0, "index": 2, "context": context}
    return Event(topic, data, None, None, ApiEventKind(kind), 1.0, 2, context)


class Changes:
    """What one reader of presence, or of events, has not read yet; a block around its reading."""

    def __init__(self, readers: "list[Changes]", *first: object) -> None:
        self._readers = readers
        self._send, self._receive = trio.open_memory_channel[Any](1000)
        for each in first:
            self.put(each)

    def put(self, item: object) -> None:
        self._send.send_nowait(item)

    async def __aenter__(self) -> "Changes":
        self._readers.append(self)
        await trio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._readers.remove(self)

    def __aiter__(self) -> "Changes":
        return self

    async def __anext__(self) -> Any:
        return await self._receive.receive()

    async def receive_many(self) -> list[object]:
        return [await self._receive.receive()]


@attrs.define(eq=False)
class FakeService:
    """An RPC service that is as the test says; ``answer`` does its commands."""

    state: PresenceState = PresenceState.UNKNOWN
    heartbeat: Heartbeat | None = None
    #: the number and data of each command, as it begins
    begun: list[tuple[int, object]] = attrs.field(factory=list[tuple[int, object]])
    answer: Callable[[int, object], Awaitable[Reply]] | None = None
    clients: "list[FakeClient]" = attrs.field(factory=list["FakeClient"])
    _readers: list[Changes] = attrs.field(factory=list[Changes])
    _subscribers: list[Changes] = attrs.field(factory=list[Changes])

    def client(self) -> "FakeClient":
        client = FakeClient(self)
        self.clients.append(client)
        return client

    @property
    def presence(self) -> Presence:
        return Presence(self.state, trio.current_time(), self.heartbeat, 5.0)

    async def becomes(self, state: PresenceState, identifier: str = "bench-1") -> None:
        """It is there, or is not, and all that follows from that has been done."""
        self.state = state
        if state is PresenceState.PRESENT:
            self.heartbeat = beat(identifier)
        for reader in self._readers:
            reader.put(self.presence)
        await wait_all_tasks_blocked()

    async def publishes(self, *messages: object) -> None:
        for subscriber in self._subscribers:
            for message in messages:
                subscriber.put(message)
        await wait_all_tasks_blocked()

    def changes(self) -> Changes:
        return Changes(self._readers, self.presence)

    def subscription(self) -> Changes:
        return Changes(self._subscribers)


class FakeClient:
    """Stands in for an `RpcClient`."""

    def __init__(self, service: FakeService) -> None:
        self._service = service
        self._ended = trio.Event()
        self.waits: list[bool] = []

    async def start(self) -> None:
        await trio.lowlevel.checkpoint()

    async def stop(self) -> None:
        self._ended.set()
        await trio.lowlevel.checkpoint()

    async def stopped(self) -> None:
        await self._ended.wait()

    def fail(self) -> None:
        """It ends by itself."""
        self._ended.set()

    @property
    def presence(self) -> Presence:
        return self._service.presence

    def presence_changes(self) -> Changes:
        return self._service.changes()

    def subscribe(self, *topics: int) -> Changes:
        return self._service.subscription()

    async def command(
        self,
        command: int,
        data: object = None,
        *,
        custom_command: int = -1,
        timeout: float | None = None,  # noqa: ASYNC109 - as RpcClient has it
        wait: bool = False,
    ) -> Reply:
        await trio.lowlevel.checkpoint()
        self.waits.append(wait)
        self._service.begun.append((int(command), data))
        if self._service.answer is not None:
            return await self._service.answer(command, data)
        return Reply(1, ApiCommand(command), ApiCommandRequestResult.SUCCESS, {"did": int(command)})


@attrs.frozen
class Crew:
    """A bridge, its service, its fleet, and somebody there who has tasks for the device."""

    system: ActorSystem
    server: DeviceServerEndpoint
    network: MemoryNetwork
    service: FakeService
    bridge: RpcBridge
    orch: ConstellationEndpoint

    @property
    def devices(self) -> set[str]:
        """The devices of the fleet."""
        return {name for name in ("bench-1", "bench-2", "lab") if name in self.server._hub.directory}

    async def joins(self, device_id: str = "bench-1") -> None:
        """The service comes, the device joins, and the orchestrator is connected to it."""
        await self.service.becomes(PresenceState.PRESENT)
        assert await self.bridge.wait_joined() == device_id
        await self.orch.connect_to_device(AgentProfile(device_id=device_id, server_url="memory://server"))
        await wait_all_tasks_blocked()

    async def task(self, *commands: str, device_id: str = "bench-1", **parameters: object) -> ExecutionResult:
        """Have these tools called one after the other."""
        listed = [{"tool_name": name, "parameters": parameters} for name in commands]
        request = {"request": "r", "metadata": {"commands": listed}}
        return await self.orch.send_task_to_device(device_id, request)

    def told(self, device_id: str = "bench-1") -> dict[str, Any]:
        """What the server knows of the device, without asking."""
        client = self.server._hub.directory.device(device_id)
        assert client is not None
        assert client.info is not None
        return dict(client.info["rpc"])


@asynccontextmanager
async def bridging(
    *, service: FakeService | None = None, server: dict[str, Any] | None = None, **options: Any
) -> AsyncGenerator[Crew]:
    """A crew whose service is not there yet."""
    service = service or FakeService()
    async with fleet(**(server or {})) as (system, end, network):
        options.setdefault("reconnection_strategy", quick())
        bridge = RpcBridge(
            "memory://server", make_client=service.client, make_transport=network.transport, **options
        )
        await bridge.start()
        orch = ConstellationEndpoint("orch", make_transport=network.transport, reconnection_strategy=quick())
        await orch.start()
        yield Crew(system, end, network, service, bridge, orch)
        await orch.stop()
        await bridge.stop()
