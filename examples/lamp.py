"""An actor with a timer, and its tests in virtual time, where ten minutes take none.

Prints::

    two tests passed

Logs::

    /lamp crashed
    RuntimeError: the bulb burst
"""

from collections.abc import Awaitable, Callable

import attrs
import trio
from trio.testing import MockClock

from aip_trio import Actor, ActorRef, Request, Timer, handles, open_system


@attrs.frozen
class Press:
    pass


@attrs.frozen
class Off:
    pass


@attrs.frozen
class Burst:
    pass


@attrs.frozen
class IsOn(Request[bool]):
    pass


class Lamp(Actor):
    timer: Timer | None = None

    @handles
    async def press(self, message: Press) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self.after(600, Off())

    @handles
    async def off(self, message: Off) -> None:
        self.timer = None

    @handles
    async def is_on(self, message: IsOn) -> bool:
        return self.timer is not None

    @handles
    async def burst(self, message: Burst) -> None:
        raise RuntimeError("the bulb burst")


def in_virtual_time(test: Callable[[ActorRef], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_system() as system:
            await test(await system.spawn(Lamp, name="lamp"))

    trio.run(main, clock=MockClock(autojump_threshold=0))  # the clock jumps when all tasks wait


def test_it_goes_off_after_ten_minutes() -> None:
    async def test(lamp: ActorRef) -> None:
        await lamp.tell(Press())
        await trio.sleep(599)
        assert await lamp.ask(IsOn())
        await trio.sleep(2)
        assert not await lamp.ask(IsOn())

    in_virtual_time(test)


def test_a_crash_puts_it_out() -> None:
    async def test(lamp: ActorRef) -> None:
        await lamp.tell(Press())
        await lamp.tell(Burst())
        assert not await lamp.ask(IsOn())  # answered by a new incarnation, whose timer is None

    in_virtual_time(test)


if __name__ == "__main__":
    test_it_goes_off_after_ten_minutes()
    test_a_crash_puts_it_out()
    print("two tests passed")
