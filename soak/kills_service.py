"""The service that is killed: ``python -m soak.kills_service {JSON}`` takes what `Orders` has.

It prints its two ports as a list of JSON, and ends when its standard input is closed. Its delegate writes
down each command that it runs before it does anything else: one write to a file that is opened for appending,
which no kill takes back.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

import attrs
import trio

from aip_trio.actors import open_system
from aip_trio.rpc import (
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiOptions,
    RpcOptions,
    create_api_service,
)
from soak._stdin import stdin_closed

__all__ = ["Orders", "main"]


@attrs.frozen
class Orders:
    """``journal``: the file of what was run. A port of 0 is picked."""

    journal: str
    subscriber_port: int = 0
    command_port: int = 0


def _delegate(journal: int) -> Callable[[ApiCommandRequest], Awaitable[ApiCommandRequestResponse]]:
    async def run(request: ApiCommandRequest) -> ApiCommandRequestResponse:
        data = cast("dict[str, Any]", request.data)
        os.write(journal, f"{data['id']}\n".encode())
        await trio.sleep(data["seconds"])
        return ApiCommandRequestResponse(ApiCommandRequestResult.SUCCESS, data={"id": data["id"]})

    return run


async def main(orders: Orders) -> None:
    """Serve until standard input is closed."""
    options = RpcOptions(
        subscriber_port=orders.subscriber_port, command_port=orders.command_port, heartbeat_interval=0.2
    )
    service = create_api_service(ApiOptions(rpc=options))
    assert service is not None
    journal = os.open(orders.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    service.command_request_delegate = _delegate(journal)
    async with open_system():
        await service.start()
        print(json.dumps([service.subscriber_port, service.command_port]), flush=True)
        await stdin_closed()


if __name__ == "__main__":
    trio.run(main, Orders(**json.loads(sys.argv[1])))
