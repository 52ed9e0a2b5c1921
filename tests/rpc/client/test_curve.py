"""Clients of a service that encrypts."""

from __future__ import annotations

import pytest
import trio

from aip_trio.errors import ServiceUnreachable
from aip_trio.rpc import ApiCommand, ApiCommandRequestResult, ApiTopic, Event, RpcClient, RpcOptions
from aip_trio.transport.zeromq import CurveClient, CurveKeys, CurveServer
from tests.rpc.client.services import PATIENCE, service_of
from tests.rpc.client.test_subscription import send

pytestmark = pytest.mark.trio


async def test_a_client_with_its_keys_is_served_and_others_are_not() -> None:
    server, friend, stranger = (CurveKeys.generate() for _ in range(3))
    options = RpcOptions(
        subscriber_port=0,
        command_port=0,
        heartbeat_interval=0.1,
        curve=CurveServer(server.secret, clients=[friend.public]),
    )
    with trio.fail_after(PATIENCE):
        async with service_of(options) as service:
            ports = service.subscriber_port, service.command_port
            async with RpcClient(
                "127.0.0.1", *ports, curve=CurveClient(server.public, friend.secret)
            ) as client:
                assert (await client.command(ApiCommand.GET_STATUS)).result == ApiCommandRequestResult.SUCCESS
                async with client.subscribe(ApiTopic.EVENT) as events:
                    await events.confirmed()
                    send(service, 1)
                    assert isinstance(await anext(events), Event)
            async with RpcClient(
                "127.0.0.1", *ports, timeout=0.5, curve=CurveClient(server.public, stranger.secret)
            ) as client:
                with pytest.raises(ServiceUnreachable) as raised:
                    await client.command(ApiCommand.GET_STATUS)
                assert "key" in raised.value.reason
            async with RpcClient("127.0.0.1", *ports, timeout=0.5) as client:
                with pytest.raises(ServiceUnreachable) as raised:
                    await client.command(ApiCommand.GET_STATUS)
                assert raised.value.reason != "nobody listens there"
