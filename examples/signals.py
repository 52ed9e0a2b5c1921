"""A program that stops in order on SIGINT and SIGTERM, and hurries on the second one.

Prints::

    running
    SIGTERM: stopping
    camera: StopReason.SHUTDOWN, closing the shutter
    SIGTERM: hurrying
    camera: cut short
    lamp: off
    ended

Logs::

    /Camera-2: stopping() was cut off, since cancel_grace=0.2 s for the whole tree are over
"""

import os
import signal
from collections.abc import AsyncIterator

import trio

from aip_trio import Actor, StopReason, open_system


class Lamp(Actor):
    async def stopping(self, reason: StopReason | BaseException) -> None:
        print("lamp: off")


class Camera(Actor):
    async def stopping(self, reason: StopReason | BaseException) -> None:
        print(f"camera: {reason}, closing the shutter")
        os.kill(os.getpid(), signal.SIGTERM)  # the operator is impatient
        try:
            await trio.sleep(60)
        except trio.Cancelled:
            print("camera: cut short")
            raise


async def obey(signals: AsyncIterator[int], stop: trio.Event, everything: trio.CancelScope) -> None:
    async for number in signals:
        name = signal.Signals(number).name
        if not stop.is_set():
            print(f"{name}: stopping")
            stop.set()
        else:
            print(f"{name}: hurrying")
            everything.cancel()


async def main() -> None:
    stop = trio.Event()
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(obey, signals, stop, nursery.cancel_scope)
            async with open_system(cancel_grace=0.2) as system:
                await system.spawn(Lamp)
                await system.spawn(Camera, shutdown=60)
                print("running")
                os.kill(os.getpid(), signal.SIGTERM)  # the operator
                await stop.wait()
            nursery.cancel_scope.cancel()
    print("ended")


if __name__ == "__main__":
    trio.run(main)
