"""The service of the events soak: ``python -m soak.events_service {JSON}`` takes what `Orders` has.

It prints its two ports as a list of JSON, and publishes once it is told to by a line on its standard input.
When the last event is published it prints how that went, and goes on to send again what subscribers have
missed. When its standard input is closed it prints how many events it has sent again, and ends.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncGenerator

import attrs
import trio

from aip_trio.actors import open_system
from aip_trio.rpc import ApiEvent, ApiEventKind, ApiOptions, RpcOptions, RpcService, create_api_service

__all__ = ["Orders", "Published", "main"]

#: Seconds between two bursts; and how long to wait where the service takes no more.
_BURST, _PAUSE = 0.005, 0.002


@attrs.frozen
class Orders:
    """``size``: bytes of what each event says. ``rate``: events in a second. ``replay``: how many are kept
    for who has missed some. ``send_limit``: how many wait for each subscriber.
    """

    events: int
    size: int
    rate: float
    replay: int
    send_limit: int


@attrs.frozen
class Published:
    """``refused``: times that the service took no more for a moment."""

    seconds: float
    refused: int


async def _publish(service: RpcService, orders: Orders) -> Published:
    """Numbered from 1, at their rate."""
    began = trio.current_time()
    number = refused = 0
    context = {"device_id": "x" * orders.size}
    while number < orders.events:
        due = min(orders.events, int((trio.current_time() - began) * orders.rate) + 1)
        while number < due:
            event = ApiEvent(ApiEventKind.deviceCommandSend, time.time(), number + 1, context)
            if not service.send_event(event):
                refused += 1
                await trio.sleep(_PAUSE)
            else:
                number += 1
        await trio.sleep(_BURST)
    return Published(round(trio.current_time() - began, 3), refused)


@trio.as_safe_channel
async def _lines() -> AsyncGenerator[bytes | bytearray]:
    """Each chunk of standard input, to its end."""
    async with trio.lowlevel.FdStream(sys.stdin.fileno()) as stdin:
        async for chunk in stdin:
            yield chunk


async def main(orders: Orders) -> None:
    """Serve until standard input is closed."""
    options = RpcOptions(
        subscriber_port=0,
        command_port=0,
        heartbeat_interval=1,
        replay=orders.replay,
        send_limit=orders.send_limit,
    )
    service = create_api_service(ApiOptions(rpc=options))
    assert service is not None
    async with open_system(), _lines() as told:
        await service.start()
        print(json.dumps([service.subscriber_port, service.command_port]), flush=True)
        async for _ in told:
            print(json.dumps(attrs.asdict(await _publish(service, orders))), flush=True)
        print(json.dumps({"replayed": service.statistics().replayed}), flush=True)


if __name__ == "__main__":
    trio.run(main, Orders(**json.loads(sys.argv[1])))
