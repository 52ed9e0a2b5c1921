"""When connections are tried again: as the strategy says, at first and later; in virtual time."""

import pytest
import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import AgentProfile, ClientState, ConstellationEndpoint, DeviceClientEndpoint
from aip_trio.errors import ConnectFailed
from aip_trio.resilience import ReconnectionPolicy, ReconnectionStrategy
from aip_trio.transport import MemoryNetwork, MemoryTransport
from tests.endpoints.memory import Arrivals, virtual
from tests.endpoints.support import Worker, until


class Watched(MemoryNetwork):
    """Notes when somebody tries to connect."""

    def __init__(self) -> None:
        super().__init__()
        self.tries: list[float] = []

    def watched(self) -> MemoryTransport:
        self.tries.append(trio.current_time())
        return self.transport()


@virtual
async def test_the_first_connection_is_tried_as_often_as_the_strategy_says() -> None:
    network = Watched()
    strategy = ReconnectionStrategy(4, initial_backoff=1.0, max_backoff=5.0)
    async with open_system():
        endpoint = DeviceClientEndpoint(
            "memory://nobody", Worker(), reconnection_strategy=strategy, make_transport=network.watched
        )
        with pytest.raises(ConnectFailed):
            await endpoint.start()
        assert network.tries == [0, 1, 3, 7, 12]
        assert endpoint.lifecycle.state is ClientState.STOPPED


@virtual
async def test_max_retries_alone_make_a_strategy() -> None:
    network = Watched()
    async with open_system():
        endpoint = DeviceClientEndpoint("memory://nobody", Worker(), 2, make_transport=network.watched)
        with pytest.raises(ConnectFailed):
            await endpoint.start()
        assert network.tries == [0, 2, 6]


@virtual
async def test_no_policy_is_one_try() -> None:
    network = Watched()
    strategy = ReconnectionStrategy(policy=ReconnectionPolicy.NONE)
    async with open_system():
        endpoint = DeviceClientEndpoint(
            "memory://nobody", Worker(), reconnection_strategy=strategy, make_transport=network.watched
        )
        with pytest.raises(ConnectFailed):
            await endpoint.start()
        assert network.tries == [0]


@virtual
async def test_a_lost_connection_is_tried_again_with_growing_delays_until_it_is_given_up() -> None:
    network = Watched()
    strategy = ReconnectionStrategy(3, initial_backoff=2.0, max_backoff=60.0)
    async with open_system() as system:
        plain = Arrivals(network)
        await plain.open(system.nursery)
        endpoint = DeviceClientEndpoint(
            plain.url,
            Worker(),
            reconnection_strategy=strategy,
            heartbeat_interval=1000,
            make_transport=network.watched,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            server = await plain.registered()
        await plain.shut()
        await trio.sleep(100 - trio.current_time())  # long enough to count as healthy
        await server.cut()
        await endpoint.stopped()
        assert network.tries == pytest.approx([0, 102, 106, 114])
        assert endpoint.lifecycle.state is ClientState.STOPPED
        assert trio.current_time() == pytest.approx(114)


@virtual
async def test_a_healthy_connection_makes_up_for_what_failed_before_it() -> None:
    network = Watched()
    strategy = ReconnectionStrategy(2, initial_backoff=1.0, reset_after=10.0)
    async with open_system() as system:
        plain = Arrivals(network)
        await plain.open(system.nursery)
        endpoint = DeviceClientEndpoint(
            plain.url,
            Worker(),
            reconnection_strategy=strategy,
            heartbeat_interval=1000,
            make_transport=network.watched,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            server = await plain.registered()
        for _ in range(10):  # more often than it retries in a row
            await trio.sleep(15)
            lost = trio.current_time()
            await server.cut()
            server = await plain.registered()
            assert trio.current_time() - lost == pytest.approx(1)
            await until(endpoint.is_connected)
        await endpoint.stop()


@virtual
async def test_each_device_of_an_orchestrator_has_the_retries_of_its_profile() -> None:
    network = Watched()
    async with open_system():
        orch = ConstellationEndpoint("orch", make_transport=network.watched)
        await orch.start()
        for retries, count in ((0, 1), (2, 3)):
            del network.tries[:]
            profile = AgentProfile(
                device_id=f"dev-{retries}", server_url="memory://nobody", max_retries=retries
            )
            with pytest.raises(ConnectFailed):
                await orch.connect_to_device(profile)
            assert len(network.tries) == count
            assert profile.connection_attempts == count
        await orch.stop()


@virtual
async def test_it_may_try_for_ever() -> None:
    network = Watched()
    strategy = ReconnectionStrategy(None, initial_backoff=1.0, max_backoff=10.0)
    async with open_system() as system:
        endpoint = DeviceClientEndpoint(
            "memory://plain", Worker(), reconnection_strategy=strategy, make_transport=network.watched
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            await trio.sleep(1000)
            plain = Arrivals(network)
            await plain.open(system.nursery)
            await plain.registered()
        assert len(network.tries) > 90
        assert max(b - a for a, b in zip(network.tries, network.tries[1:], strict=False)) == pytest.approx(10)
        assert endpoint.is_connected()
        await endpoint.stop()
