"""A device that publishes what happens on it, and does what clients ask for. Its client is plain ZeroMQ.

Prints::

    HEARTBEAT from rig-7
    GET_STATUS: SUCCESS {'doorOpen': False}
    EMERGENCY_STOP: FAILED the door is shut
    START_ACQUISITION: EXCEPTION no disk
    USER_DEFINED: PENDING_WITH_NOTIFICATION None
    COMMAND_RESULT {'command': 99999, 'nonce': 1, 'result': 100, 'data': {'steps': 3}}
    EVENT {'context': {'deviceName': 'rig-7'}}
    stopped

Logs::

    the delegate failed at START_ACQUISITION
    OSError: no disk
"""

import json
import time
from typing import Any

import trio

from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiEvent,
    ApiEventKind,
    ApiTopic,
    RpcOptions,
    RpcService,
)
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

SUCCESS, FAILED = ApiCommandRequestResult.SUCCESS, ApiCommandRequestResult.FAILED


async def delegate(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    match request.command:
        case ApiCommand.GET_STATUS:
            return ApiCommandRequestResponse(SUCCESS, {"door_open": False})
        case ApiCommand.EMERGENCY_STOP:
            return ApiCommandRequestResponse(FAILED, error_code=7, error_message="the door is shut")
        case ApiCommand.USER_DEFINED:
            await trio.sleep(0.2)  # its client is told that it is pending, and its end is published
            return ApiCommandRequestResponse(SUCCESS, {"steps": 3})
        case _:
            raise OSError("no disk")


async def main() -> None:
    options = RpcOptions(identifier="rig-7", heartbeat_interval=0.1, subscriber_port=0, command_port=0)
    async with RpcService(options) as service:
        service.command_request_delegate = delegate
        async with ZeroMQSocket(Kind.SUB) as events, ZeroMQSocket(Kind.REQ) as commands:
            await events.connect(service.urls.events)
            await commands.connect(service.urls.commands)
            await be_a_client(events, commands)
            launched = ApiEvent(
                ApiEventKind.applicationLaunched, time.time(), time.monotonic_ns(), {"device_name": "rig-7"}
            )
            service.send_event(launched)
            show("EVENT", await next_event(events, ApiTopic.EVENT))
    print(service.state.value)


async def be_a_client(events: ZeroMQSocket, commands: ZeroMQSocket) -> None:
    events.subscribe(b"")  # all topics
    print("HEARTBEAT from", (await next_event(events, ApiTopic.HEARTBEAT))["identifier"])
    # Who has heard one is connected: from here on nothing is missed.

    for command in (
        ApiCommand.GET_STATUS,
        ApiCommand.EMERGENCY_STOP,
        ApiCommand.START_ACQUISITION,
        ApiCommand.USER_DEFINED,
    ):
        await commands.send([json.dumps({"command": command, "nonce": 1}).encode()])
        (answer,) = await commands.receive()
        reply: dict[str, Any] = json.loads(answer)
        result = ApiCommandRequestResult(reply["result"]).name
        print(f"{command.name}: {result} {reply['errorMessage'] or reply['data']}")
    show("COMMAND_RESULT", await next_event(events, ApiTopic.COMMAND_RESULT))


async def next_event(events: ZeroMQSocket, wanted: ApiTopic) -> dict[str, Any]:
    while True:
        topic, payload = await events.receive()
        if int.from_bytes(topic, "little") == wanted:
            event: dict[str, Any] = json.loads(payload)
            return event


def show(title: str, event: dict[str, Any]) -> None:
    print(
        title, {key: event[key] for key in ("command", "nonce", "result", "data", "context") if key in event}
    )


if __name__ == "__main__":
    trio.run(main)
