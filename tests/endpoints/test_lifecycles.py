"""The three lifecycles walked beside real endpoints, each event by what causes it in life."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from enum import Enum
from functools import partial
from typing import Any, Generic, TypeVar, cast

import trio
from hypothesis import settings
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import RealEnvironment, open_system
from aip_trio.endpoints import (
    CLIENT_LIFECYCLE,
    CONSTELLATION_LIFECYCLE,
    SERVER_LIFECYCLE,
    AgentProfile,
    ClientEvent,
    ClientState,
    ConstellationEndpoint,
    ConstellationEvent,
    ConstellationState,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    ServerEvent,
    ServerState,
)
from aip_trio.errors import AipError, EndpointNotRunning, StartCalledOff, TransportError
from aip_trio.machine import Tracker
from aip_trio.resilience import ReconnectionStrategy
from aip_trio.testing import async_machine_test
from aip_trio.transport import MemoryNetwork, MemoryTransport
from tests.endpoints.memory import Arrivals, HeldNetwork, memory_peer
from tests.endpoints.peer import Peer
from tests.endpoints.support import Worker

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

EXAMPLES = settings(max_examples=25, stateful_step_count=15)


class NoCause(Exception):
    """Nothing that can be done to an endpoint in this state has this effect."""


class Spy(Generic[S, E]):
    """A tracker that remembers what was fired."""

    def __init__(self, tracker: Tracker[S, E]) -> None:
        self._tracker = tracker
        self.fired: list[E] = []

    def fire(self, event: E) -> S:
        state = self._tracker.fire(event)
        self.fired.append(event)
        return state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracker, name)


class Walked(Generic[S, E]):
    """An endpoint, and a nursery for calls of it that take their time."""

    def __init__(self, endpoint: Any, nursery: trio.Nursery) -> None:
        self.endpoint = endpoint
        self.nursery = nursery
        endpoint.lifecycle = self.spy = Spy[S, E](endpoint.lifecycle)

    @property
    def state(self) -> S:
        return cast("S", self.spy.state)

    async def fire(self, event: E) -> None:
        before = len(self.spy.fired)
        with suppress(EndpointNotRunning):
            await self.cause(event)
        await wait_all_tasks_blocked()
        if event not in self.spy.fired[before:]:
            raise NoCause

    async def cause(self, event: E) -> None:
        raise NotImplementedError

    async def begin(self, call: Callable[[], Awaitable[object]]) -> None:
        """Make a call, which may well wait; raise what it raises at once, but for what ends connections."""
        errors: list[Exception] = []

        async def called() -> None:
            try:
                await call()
            except (TransportError, StartCalledOff):
                pass
            except AipError as error:
                errors.append(error)

        self.nursery.start_soon(called)
        await wait_all_tasks_blocked()
        if errors:
            raise errors[0]


# The server


class HeldListener(trio.abc.Listener[trio.SocketStream]):
    """Accepts nobody, and is closed no sooner than it may."""

    def __init__(self, gate: trio.Event) -> None:
        self._gate = gate

    async def accept(self) -> trio.SocketStream:
        await trio.sleep_forever()
        raise AssertionError

    async def aclose(self) -> None:
        with trio.CancelScope(shield=True):
            await self._gate.wait()


class HeldEnvironment(RealEnvironment):
    """Listens no sooner than it may."""

    def __init__(self) -> None:
        super().__init__()
        self.opened, self.closed = trio.Event(), trio.Event()

    async def open_tcp_listeners(
        self, port: int, *, host: str = "127.0.0.1", backlog: int | None = None
    ) -> Sequence[Any]:
        await self.opened.wait()
        return [HeldListener(self.closed)]


class WalkedServer(Walked[ServerState, ServerEvent]):
    """Its listener holds up its start and its stop."""

    def __init__(self, nursery: trio.Nursery, environment: HeldEnvironment, network: MemoryNetwork) -> None:
        super().__init__(DeviceServerEndpoint(port=1), nursery)
        self.environment = environment
        self.network = network
        self.clients: list[Peer] = []

    async def cause(self, event: ServerEvent) -> None:
        match event:
            case ServerEvent.START:
                await self.begin(self.endpoint.start)
            case ServerEvent.STARTED:
                if self.state is ServerState.STARTING:
                    self.environment.opened.set()
            case ServerEvent.CONNECTED:
                client = await memory_peer(self.network)
                with suppress(Exception):
                    await client.register(f"dev-{len(self.clients)}")
                self.clients.append(client)
            case ServerEvent.ALL_GONE:
                for client in self.clients:
                    await client.cut()
            case ServerEvent.STOP:
                if self.state is not ServerState.STARTING:  # then it calls the start off: STOPPED
                    await self.begin(self.endpoint.stop)
            case ServerEvent.STOPPED:
                if self.state is not ServerState.INITIALIZED:
                    self.environment.closed.set()
                if self.state in (ServerState.LISTENING, ServerState.HANDLING):
                    await self.endpoint.ref.stop()
                elif self.state is not ServerState.STOPPING:
                    await self.endpoint.stop()


@asynccontextmanager
async def open_server() -> AsyncGenerator[WalkedServer]:
    environment, network = HeldEnvironment(), MemoryNetwork()
    async with trio.open_nursery() as nursery, open_system(environment=environment) as system:
        server = WalkedServer(nursery, environment, network)

        async def serve(transport: MemoryTransport) -> None:
            with suppress(AipError):  # it does not run
                await server.endpoint.handle_websocket(transport)

        await network.serve("server", serve, nursery=system.nursery)
        try:
            yield server
        finally:
            environment.opened.set()
            environment.closed.set()


TestServer = async_machine_test(
    SERVER_LIFECYCLE, open_server, refusals=(NoCause, AipError), settings=EXAMPLES
)


# The device


class WalkedDevice(Walked[ClientState, ClientEvent]):
    """Its server is ours."""

    def __init__(self, nursery: trio.Nursery, plain: Arrivals, network: HeldNetwork) -> None:
        strategy = ReconnectionStrategy(1, initial_backoff=0.1, reset_after=0.0)
        endpoint = DeviceClientEndpoint(
            plain.url, Worker(), reconnection_strategy=strategy, timeout=1e6, make_transport=network.held
        )
        super().__init__(endpoint, nursery)
        self.plain = plain
        self.network = network
        self.server: Peer | None = None

    async def _arrived(self) -> Peer:
        """The connection that is being made."""
        server, self.server = self.server or await self.plain.accept(), None
        return server

    async def cause(self, event: ClientEvent) -> None:
        waits = self.state in (ClientState.CONNECTING, ClientState.RECONNECTING)
        match event:
            case ClientEvent.START:
                await self.begin(self.endpoint.start)
            case ClientEvent.REGISTERED:
                if waits:
                    self.server = await self._arrived()
                    await self.server.receive("register")
                    await self.server.send("heartbeat", response_id="welcome")
            case ClientEvent.LOST:
                if self.state is ClientState.CONNECTED:
                    await (await self._arrived()).cut()
                    self.server = await self.plain.accept()
            case ClientEvent.STOP:
                await self.begin(self.endpoint.stop)
            case ClientEvent.STOPPED:
                if self.state is ClientState.INITIALIZED:
                    await self.endpoint.stop()
                    return
                self.network.gate.set()
                if self.state is ClientState.CONNECTED:
                    await self.endpoint.ref.stop()
                while self.state in (ClientState.CONNECTING, ClientState.RECONNECTING):
                    await (await self._arrived()).cut()
                    await trio.sleep(0.2)


@asynccontextmanager
async def open_device() -> AsyncGenerator[WalkedDevice]:
    network = HeldNetwork()
    async with trio.open_nursery() as nursery, open_system() as system:
        plain = Arrivals(network)
        await plain.open(system.nursery)
        try:
            yield WalkedDevice(nursery, plain, network)
        finally:
            network.gate.set()
            nursery.cancel_scope.cancel()


TestDevice = async_machine_test(
    CLIENT_LIFECYCLE, open_device, refusals=(NoCause, AipError), settings=EXAMPLES
)


# The orchestrator


class WalkedConstellation(Walked[ConstellationState, ConstellationEvent]):
    """Its devices' server is ours."""

    def __init__(self, nursery: trio.Nursery, plain: Arrivals, network: HeldNetwork) -> None:
        super().__init__(ConstellationEndpoint("orch", timeout=1e6, make_transport=network.held), nursery)
        self.plain = plain
        self.network = network
        self.count = 0

    async def connect(self) -> None:
        """Begin to connect to one more device."""
        self.count += 1
        profile = AgentProfile(device_id=f"dev-{self.count}", server_url=self.plain.url)
        await self.begin(lambda: self.endpoint.connect_to_device(profile))

    async def cause(self, event: ConstellationEvent) -> None:
        match event:
            case ConstellationEvent.START:
                await self.begin(self.endpoint.start)
            case ConstellationEvent.DEVICE_CONNECTED:
                await self.connect()
                with trio.move_on_after(1):
                    await self.plain.registered()
            case ConstellationEvent.ALL_GONE:
                for device_id in self.endpoint.devices:
                    await self.begin(partial(self.endpoint.disconnect_device, device_id))
            case ConstellationEvent.STOP:
                if self.state is ConstellationState.READY:
                    await self.connect()  # something whose end takes time
                await self.begin(self.endpoint.stop)
            case ConstellationEvent.STOPPED:
                if self.state is ConstellationState.INITIALIZED:
                    await self.endpoint.stop()
                    return
                self.network.gate.set()
                if self.state in (ConstellationState.READY, ConstellationState.ACTIVE):
                    await self.endpoint.ref.stop()


@asynccontextmanager
async def open_constellation() -> AsyncGenerator[WalkedConstellation]:
    network = HeldNetwork()
    async with trio.open_nursery() as nursery, open_system() as system:
        plain = Arrivals(network)
        await plain.open(system.nursery)
        try:
            yield WalkedConstellation(nursery, plain, network)
        finally:
            network.gate.set()


TestConstellation = async_machine_test(
    CONSTELLATION_LIFECYCLE, open_constellation, refusals=(NoCause, AipError), settings=EXAMPLES
)
