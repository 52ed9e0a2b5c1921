"""A service whose START_ACQUISITION never ends: ``python hanging_service.py EVENTS_PORT COMMANDS_PORT``."""

from __future__ import annotations

import sys

import trio

from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiOptions,
    RpcOptions,
    create_api_service,
)

seen = 0


async def delegate(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    """Count, and hang where that is asked for."""
    global seen
    seen += 1
    if request.command == ApiCommand.START_ACQUISITION:
        await trio.sleep_forever()
    return ApiCommandRequestResponse(ApiCommandRequestResult.SUCCESS, {"commands_seen": seen})


async def main() -> None:
    """Serve until killed."""
    events, commands = map(int, sys.argv[1:])
    service = create_api_service(
        ApiOptions(RpcOptions(subscriber_port=events, command_port=commands, pending_after=60.0))
    )
    assert service is not None
    service.command_request_delegate = delegate
    async with service:
        await trio.sleep_forever()


if __name__ == "__main__":
    trio.run(main)
