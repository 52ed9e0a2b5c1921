"""A subscriber of the events soak: ``python -m soak.events_subscriber {JSON}`` takes what `Orders` has.

It prints ``ready`` once it is subscribed, and what it has had (see `soak._events_verdict.Heard`) once it
knows of the last event, or when its standard input is closed.
"""

from __future__ import annotations

import json
import sys
import time
from array import array
from collections.abc import Sequence

import attrs
import trio

from aip_trio.actors import open_system
from aip_trio.rpc import ApiTopic, Event, Gap, RpcClient
from soak._events_verdict import Heard, Tally
from soak._stdin import stdin_closed

__all__ = ["Orders", "main"]


@attrs.frozen
class Orders:
    """``events``: how many there will be."""

    name: str
    subscriber_port: int
    command_port: int
    events: int


class Ear:
    """What it has had."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._tally = Tally()
        self._delays = array("d")
        self._began = 0.0

    async def listen(self) -> None:
        """To the last event."""
        orders = self._orders
        async with RpcClient("127.0.0.1", orders.subscriber_port, orders.command_port) as client:
            async with client.subscribe(ApiTopic.EVENT) as events:
                await events.confirmed()
                print("ready", flush=True)
                while self._tally.last < orders.events:
                    self._take(await events.receive_many())

    def _take(self, events: Sequence[object]) -> None:
        now = time.time()
        self._began = self._began or now
        for event in events:
            match event:
                case Event():
                    self._delays.append(now - event.when)
                    self._tally.event(event.index)
                case Gap(first=first, last=last):
                    self._tally.gap(first, last)
                case _:
                    pass

    def told(self) -> Heard:
        """For the verdict."""
        tally, delays = self._tally, sorted(self._delays) or [0.0]
        return Heard(
            self._orders.name,
            delivered=tally.delivered,
            gaps=tally.gaps,
            missing=tally.missing,
            last=tally.last,
            rate=round(tally.delivered / max(time.time() - self._began, 1e-9), 1),
            delays={
                name: round(delays[min(int(len(delays) * share), len(delays) - 1)], 4)
                for name, share in (("p50", 0.5), ("p99", 0.99), ("worst", 1.0))
            },
            faults=tally.faults,
        )


async def main(orders: Orders) -> None:
    """Listen, and tell."""
    ear = Ear(orders)

    async def listen(over: trio.CancelScope) -> None:
        async with open_system():
            await ear.listen()
        over.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, nursery.cancel_scope)
        await stdin_closed()
        nursery.cancel_scope.cancel()
    print(json.dumps(attrs.asdict(ear.told())), flush=True)


if __name__ == "__main__":
    trio.run(main, Orders(**json.loads(sys.argv[1])))
