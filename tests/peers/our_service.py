"""Our service in a process, with the delegate of the frames in rpc.json.

``python -m tests.peers.our_service {JSON}`` takes keywords of `RpcOptions`, and prints a list of JSON: the
URLs of its commands and of its events. Each line of standard input is an event of JSON to publish.
"""

import json
import sys
from typing import Any

import trio

from aip_trio.actors import open_system
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult as Result,
    ApiOptions,
    RpcOptions,
    create_api_service,
)
from tests.interop.quick_server import lines

__all__ = ["main"]


def answer(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    """What the delegate answered when they were captured."""
    match request.command:
        case ApiCommand.GET_CONFIGURATION:
            data = {"device_id": "000000", "nested_key": {"inner_key": [1, 2]}}
            return ApiCommandRequestResponse(result=Result.SUCCESS, data=data)
        case ApiCommand.USER_DEFINED:
            return ApiCommandRequestResponse(result=Result.PENDING_WITH_NOTIFICATION)
        case ApiCommand.EMERGENCY_STOP:
            raise RuntimeError("boom_in_delegate")
        case ApiCommand.EMERGENCY_RESUME:
            return ApiCommandRequestResponse(Result.FAILED, error_code=7, error_message="not_stopped")
        case _:
            return ApiCommandRequestResponse(result=Result.SUCCESS)


async def main(options: dict[str, Any]) -> None:
    """Serve until standard input is closed."""
    service = create_api_service(ApiOptions(rpc=RpcOptions(subscriber_port=0, command_port=0, **options)))
    assert service is not None
    service.command_request_delegate = answer
    async with open_system(), lines() as events:
        await service.start()
        urls = [f"tcp://127.0.0.1:{port}" for port in (service.command_port, service.subscriber_port)]
        sys.stdout.write(json.dumps(urls) + "\n")
        sys.stdout.flush()
        async for event in events:
            assert service.send_event(json.loads(event))


if __name__ == "__main__":
    trio.run(main, json.loads(sys.argv[1]))
