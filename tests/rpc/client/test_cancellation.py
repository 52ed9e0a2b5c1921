"""A client's calls, cancelled at every checkpoint."""

from __future__ import annotations

import trio

from aip_trio.rpc import ApiCommand, ApiTopic, Event, PresenceState, Reply, RpcClient
from aip_trio.rpc.client._reader import Reader
from aip_trio.rpc.client._subscription import Subscription
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.rpc.client.events import EVENT
from tests.rpc.client.services import client_of, service_of
from tests.rpc.client.test_subscription import FakeSource, no_answer, numbered


def test_a_cancelled_command_leaves_the_client_as_it_was() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with service_of() as service, client_of(service) as client:
            with point:
                await client.command(ApiCommand.GET_STATUS, 1)
            assert client.statistics().open == 0
            assert (await client.command(ApiCommand.GET_STATUS, 2)).data == 2
            assert client.statistics().stray == 0

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_a_cancelled_wait_for_a_commands_end_leaves_nothing_behind() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with service_of() as service, client_of(service) as client:
            with point:
                await client.command(ApiCommand.USER_DEFINED, 1, wait=True)
            assert client.statistics().open == 0
            assert (await client.command(ApiCommand.USER_DEFINED, 2, wait=True)).data == 2

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_a_start_can_be_cancelled_and_a_stop() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with service_of() as service:
            client = RpcClient("127.0.0.1", service.subscriber_port, service.command_port)
            with point:
                async with client:
                    pass
            async with client:
                assert isinstance(await client.command(ApiCommand.GET_STATUS), Reply)

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 2


def test_waiting_for_a_service_can_be_cancelled() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with service_of() as service:
            ports = service.subscriber_port, service.command_port
            async with RpcClient("127.0.0.1", *ports) as client:
                with point:
                    await client.ready()
                    await client.wait_present()
                await client.ready()
                assert (await client.wait_present()).state is PresenceState.PRESENT

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 3


def test_entering_and_leaving_a_subscription_can_be_cancelled() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with service_of() as service, client_of(service) as client:
            with point:
                async with client.subscribe(ApiTopic.EVENT) as events:
                    await events.confirmed()
            async with client.subscribe(ApiTopic.EVENT) as events:
                await events.confirmed()

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 3


def test_a_cancelled_read_loses_no_event() -> None:
    async def scenario(point: CancelPoint) -> None:
        batches = [[numbered(1)], [numbered(2), numbered(5)], [numbered(6)]]
        subscription = Subscription(FakeSource(batches), Reader([EVENT]), no_answer)
        found: list[int] = []

        def keep(event: object) -> None:
            if isinstance(event, Event):
                found.append(event.index)

        with point:
            for _ in range(4):
                keep(await anext(subscription))
            for event in await subscription.receive_many():
                keep(event)
        with trio.move_on_after(1):
            async for event in subscription:
                keep(event)
        assert found == [1, 2, 5, 6]

    assert cancel_at_every_checkpoint(scenario) >= 4
