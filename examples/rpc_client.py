"""A client of a device's service: commands, typed events, and what was missed.

Prints::

    the service autotrainer-device is PRESENT
    GET_STATUS: SUCCESS {'door_open': False}
    START_ACQUISITION: SUCCESS {'images': 3}
    tunnelEnter 0 {'mouse_id': 7}
    tunnelEnter 1 {'mouse_id': 7}
    tunnelEnter 2 {'mouse_id': 7}
    not sent: nobody listens there
"""

import time

import trio

from aip_trio.actors import open_system
from aip_trio.errors import ServiceUnreachable
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiEvent,
    ApiEventKind,
    ApiOptions,
    ApiTopic,
    Event,
    RpcClient,
    RpcOptions,
    RpcService,
    create_api_service,
)


async def device(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    """Do what is asked for, as a device does that takes its time to acquire images."""
    if request.command == ApiCommand.GET_STATUS:
        return ApiCommandRequestResponse(ApiCommandRequestResult.SUCCESS, {"door_open": False})
    if request.command == ApiCommand.START_ACQUISITION:
        await trio.sleep(0.2)
        return ApiCommandRequestResponse(ApiCommandRequestResult.SUCCESS, {"images": 3})
    return ApiCommandRequestResponse(ApiCommandRequestResult.UNRECOGNIZED)


async def ask(client: RpcClient) -> None:
    present = await client.wait_present()
    assert present.heartbeat is not None
    print(f"the service {present.heartbeat.identifier} is {present.state.name}")
    for command in (ApiCommand.GET_STATUS, ApiCommand.START_ACQUISITION):
        reply = await client.command(command, timeout=5.0, wait=True)
        print(f"{command.name}: {reply.result.name} {reply.data}")


async def listen(client: RpcClient, service: RpcService) -> None:
    async with client.subscribe(ApiTopic.EVENT) as events:
        await events.confirmed()
        for index in range(3):
            service.send_event(ApiEvent(ApiEventKind.tunnelEnter, time.time(), index, {"mouse_id": 7}))
        async for event in events:
            if isinstance(event, Event):
                print(event.kind.name, event.index, event.context)
                if event.index == 2:
                    break


async def go_on_without(client: RpcClient) -> None:
    try:
        await client.command(ApiCommand.GET_STATUS, timeout=0.2)
    except ServiceUnreachable as error:  # it was not sent, and never will be
        print("not sent:", error.reason)


async def main() -> None:
    options = RpcOptions(subscriber_port=0, command_port=0, heartbeat_interval=0.1, replay=1000)
    service = create_api_service(ApiOptions(options))
    assert service is not None
    service.command_request_delegate = device
    async with open_system(), service:
        async with RpcClient("127.0.0.1", service.subscriber_port, service.command_port) as client:
            await ask(client)
            await listen(client, service)
            await service.stop()
            await go_on_without(client)


if __name__ == "__main__":
    trio.run(main)
