"""Each call of a bridge cancelled at every checkpoint: no hang, nothing left, and no half of a bridge."""

from collections.abc import Awaitable, Callable

import trio

from aip_trio.rpc.bridge import RpcBridge, RpcBridgeState
from aip_trio.rpc.client import PresenceState
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.endpoints.memory import fleet
from tests.endpoints.steps import cancel_at_every_step
from tests.endpoints.support import living, quick
from tests.rpc.bridge.support import Crew, FakeService, bridging


def checked(scenario: Callable[[CancelPoint], Awaitable[None]]) -> Callable[[CancelPoint], Awaitable[None]]:
    """It comes to an end, and leaves nothing behind."""

    async def run(point: CancelPoint) -> None:
        tasks = living()
        with trio.fail_after(1000):
            await scenario(point)
        assert living() == tasks, "a task is left"

    return run


def test_start() -> None:
    async def scenario(point: CancelPoint) -> None:
        service = FakeService()
        async with fleet() as (system, _, network):
            bridge = RpcBridge(
                "memory://server",
                make_client=service.client,
                make_transport=network.transport,
                reconnection_strategy=quick(),
            )
            with point:
                await bridge.start()
            if point.cancelled:
                assert bridge.state is RpcBridgeState.STOPPED
                assert system.find("/bridge") is None
            else:
                await service.becomes(PresenceState.PRESENT)
                assert await bridge.wait_joined() == "bench-1"
            await bridge.stop()

    assert cancel_at_every_step(checked(scenario)) >= 10


def test_wait_joined() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with bridging() as crew:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(crew.service.becomes, PresenceState.PRESENT)
                with point:
                    assert await crew.bridge.wait_joined() == "bench-1"
            await works(crew)

    assert cancel_at_every_checkpoint(checked(scenario)) >= 1


def test_a_task_of_the_fleet_s() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with bridging() as crew:
            await crew.joins()
            with point:
                assert (await crew.task("get_status", "emergency_stop")).completed
            await works(crew)

    assert cancel_at_every_checkpoint(checked(scenario)) >= 1


def test_stop() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with bridging() as crew:
            await crew.joins()
            with point:
                await crew.bridge.stop()
            await crew.bridge.stop()
            assert crew.bridge.state is RpcBridgeState.STOPPED
            assert crew.devices == set()

    assert cancel_at_every_step(checked(scenario)) >= 10


async def works(crew: Crew) -> None:
    """The bridge does what it is there for."""
    await crew.joins()
    await trio.sleep(1)
    assert (await crew.task("get_status")).completed
