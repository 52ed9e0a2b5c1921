"""A client whose service's ports another program has at first."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio

from aip_trio.errors import ServiceUnreachable
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequestResult,
    ApiTopic,
    PropertyChange,
    RpcClient,
    RpcOptions,
    RpcService,
)
from aip_trio.transport.zeromq import CurveKeys, CurveServer, Kind, ZeroMQSocket
from tests.rpc.client.services import PATIENCE, service_of

pytestmark = pytest.mark.trio


@asynccontextmanager
async def mixed_up(curve: CurveServer | None = None) -> AsyncGenerator[tuple[int, int]]:
    """Two ports where sockets listen that are each of the other's kind."""
    async with (
        ZeroMQSocket(Kind.ROUTER, curve=curve) as events,
        ZeroMQSocket(Kind.PUB, curve=curve) as commands,
    ):
        urls = [await socket.bind("tcp://127.0.0.1:*") for socket in (events, commands)]
        first, second = (int(url.rpartition(":")[2]) for url in urls)
        yield first, second


@pytest.mark.parametrize("wait", [False, True])
async def test_sockets_of_another_kind_are_told_from_nobody(wait: bool) -> None:
    async with ZeroMQSocket(Kind.ROUTER) as spare, mixed_up() as (events, commands):
        if wait:  # the commands are right, and the events are not
            commands = int((await spare.bind("tcp://127.0.0.1:*")).rpartition(":")[2])
        async with RpcClient("127.0.0.1", events, commands) as client:
            with pytest.raises(
                ServiceUnreachable, match="no socket of that kind, as at a wrong port"
            ) as raised:
                await client.command(ApiCommand.GET_STATUS, timeout=0.5, wait=wait)
    assert raised.value.url == client.urls[0 if wait else 1]


@pytest.mark.parametrize("curve", [None, CurveServer(CurveKeys.generate().secret, allow_any=True)])
async def test_a_service_is_found_where_another_program_was_before(curve: CurveServer | None) -> None:
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            over, seen = trio.Event(), trio.Event()

            async def watch(client: RpcClient) -> None:
                async with client.subscribe(ApiTopic.PROPERTY_CHANGE, wait_connected=False) as events:
                    await anext(events)
                    seen.set()

            async with mixed_up(curve) as (first, second):
                client = RpcClient("127.0.0.1", first, second)
                await nursery.start(hold, client, over)
                nursery.start_soon(watch, client)
                with pytest.raises(ServiceUnreachable):
                    await client.command(ApiCommand.GET_STATUS, timeout=0.3)
            options = RpcOptions(subscriber_port=first, command_port=second, heartbeat_interval=0.05)
            async with service_of(options) as service:
                reply = await client.command(ApiCommand.GET_STATUS, timeout=PATIENCE)
                assert reply.result is ApiCommandRequestResult.SUCCESS
                await client.wait_present()
                async with trio.open_nursery() as publishing:
                    publishing.start_soon(publish, service)
                    await seen.wait()
                    publishing.cancel_scope.cancel()
                over.set()


async def publish(service: RpcService) -> None:
    while True:
        service.send_dict(ApiTopic.PROPERTY_CHANGE, {"value": 1})
        await trio.sleep(0.02)


async def hold(client: RpcClient, until: trio.Event, task_status: trio.TaskStatus[None]) -> None:
    async with client:
        task_status.started()
        await until.wait()


async def test_a_subscription_comes_back_after_another_program_had_the_port() -> None:
    with trio.fail_after(PATIENCE):
        options = RpcOptions(subscriber_port=0, command_port=0, heartbeat_interval=0.05)
        async with service_of(options) as service:
            ports = service.subscriber_port, service.command_port
            client = RpcClient("127.0.0.1", *ports)
            async with client, client.subscribe(ApiTopic.PROPERTY_CHANGE) as events:
                await events.confirmed()
                await service.stop()
                async with ZeroMQSocket(Kind.ROUTER) as stranger, stranger.monitor() as met:
                    await stranger.bind(client.urls[0])
                    refused = 0
                    async for event in met:
                        refused += type(event).__name__ == "Disconnected"
                        if refused == 2:  # the client's own, and the subscription's
                            break
                again = RpcOptions(subscriber_port=ports[0], command_port=ports[1], heartbeat_interval=0.05)
                async with service_of(again) as successor, trio.open_nursery() as nursery:
                    nursery.start_soon(publish, successor)
                    assert isinstance(await anext(events), PropertyChange)
                    nursery.cancel_scope.cancel()
