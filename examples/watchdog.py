"""Timers and a monitor: a watchdog that polls a device, and is told when that ends for good.

Prints::

    poll 1
    poll 2
    poll 3
    the device ended with RuntimeError: battery empty
    the watchdog ends

Logs::

    /device crashed
    RuntimeError: battery empty
"""

from itertools import count

import attrs
import trio

from aip_trio import Actor, ActorRef, Terminated, handles, open_system


@attrs.frozen
class Poll:
    pass


@attrs.frozen
class Leave:
    pass


class Device(Actor):
    def __init__(self) -> None:
        self.polls = count(1)

    @handles
    async def poll(self, message: Poll) -> None:
        number = next(self.polls)
        print("poll", number)
        if number == 3:
            raise RuntimeError("battery empty")


class Watchdog(Actor):
    def __init__(self, device: ActorRef) -> None:
        self.device = device

    async def started(self) -> None:
        self.monitor(self.device)
        self.ticker = self.every(0.05, Poll())  # to itself, until it is cancelled or this incarnation ends

    @handles
    async def poll(self, message: Poll) -> None:
        await self.device.tell(message)

    @handles
    async def ended(self, message: Terminated) -> None:
        error = message.error
        print(f"the device ended with {type(error).__name__}: {error}")
        self.ticker.cancel()
        self.after(0.01, Leave())

    @handles
    async def leave(self, message: Leave) -> None:
        print("the watchdog ends")
        self.stop()


async def main() -> None:
    async with open_system() as system:
        device = await system.spawn(Device, name="device", restart="temporary")
        watchdog = await system.spawn(Watchdog, device, name="watchdog")
        await watchdog.stopped()


if __name__ == "__main__":
    trio.run(main)
