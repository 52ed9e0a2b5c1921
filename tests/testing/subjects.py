"""Real objects to drive: doors that behave, and doors with one planted bug each."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from aip_trio.machine import Tracker
from tests.machine.doors import DOOR, Door, Push


class Stuck(Exception):
    """A refusal that is not IllegalTransition."""


class RealDoor:
    """A door that knows nothing of the machine."""

    def __init__(self) -> None:
        self.state = Door.SHUT

    def fire(self, event: Push) -> None:
        match self.state, event:
            case Door.SHUT, Push.OPEN:
                self.state = Door.OPEN
            case Door.SHUT, Push.LOCK:
                self.state = Door.LOCKED
            case Door.OPEN, Push.SHUT:
                self.state = Door.SHUT
            case Door.OPEN, Push.REMOVE:
                self.state = Door.GONE
            case Door.LOCKED, Push.UNLOCK:
                self.state = Door.SHUT
            case _:
                self.refuse(event)

    def refuse(self, event: Push) -> None:
        raise Stuck(event)


class Misleading(RealDoor):
    """Goes to the wrong state: unlocking opens it."""

    def fire(self, event: Push) -> None:
        unlocks = self.state is Door.LOCKED and event is Push.UNLOCK
        super().fire(event)
        if unlocks:
            self.state = Door.OPEN


class Lenient(RealDoor):
    """Accepts an illegal event, and stays where it is."""

    def refuse(self, event: Push) -> None:
        if (self.state, event) != (Door.OPEN, Push.LOCK):
            super().refuse(event)


class Obstinate(RealDoor):
    """Refuses a legal event."""

    def fire(self, event: Push) -> None:
        if event is Push.REMOVE:
            self.refuse(event)
        super().fire(event)


class Sloppy(RealDoor):
    """Refuses, but not without a change."""

    def refuse(self, event: Push) -> None:
        if self.state is Door.LOCKED:
            self.state = Door.SHUT
        super().refuse(event)


class Ajar(RealDoor):
    """Starts in the wrong state."""

    def __init__(self) -> None:
        self.state = Door.OPEN


class Brittle(RealDoor):
    """Breaks on an event that is legal."""

    def fire(self, event: Push) -> None:
        if (self.state, event) == (Door.LOCKED, Push.UNLOCK):
            raise ZeroDivisionError
        super().fire(event)


WRONG: tuple[type[RealDoor], ...] = (Misleading, Lenient, Obstinate, Sloppy, Ajar)


class SlowDoor:
    """A door moved by a task of its own, which takes a second for each event."""

    def __init__(self, door: RealDoor) -> None:
        self._door = door
        self._orders, self._received = trio.open_memory_channel[tuple[Push, trio.Event]](0)
        self._refusal: Stuck | None = None

    @property
    async def state(self) -> Door:
        await trio.sleep(1)
        return self._door.state

    async def fire(self, event: Push) -> None:
        done = trio.Event()
        await self._orders.send((event, done))
        await done.wait()
        if self._refusal is not None:
            raise self._refusal

    async def work(self) -> None:
        async for event, done in self._received:
            await trio.sleep(1)
            try:
                self._door.fire(event)
                self._refusal = None
            except Stuck as refusal:
                self._refusal = refusal
            done.set()


def open_slow(make: Callable[[], RealDoor]) -> Callable[[], AbstractAsyncContextManager[SlowDoor]]:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[SlowDoor]:
        door = SlowDoor(make())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(door.work)
            yield door
            nursery.cancel_scope.cancel()

    return opened


class HangingDoor:
    """Never comes back from being unlocked."""

    def __init__(self) -> None:
        self._tracker: Tracker[Door, Push] = DOOR.start()

    @property
    def state(self) -> Door:
        return self._tracker.state

    async def fire(self, event: Push) -> None:
        self._tracker.fire(event)
        if event is Push.UNLOCK:
            await trio.sleep_forever()


@asynccontextmanager
async def open_hanging() -> AsyncGenerator[HangingDoor]:
    await trio.lowlevel.checkpoint()
    yield HangingDoor()
