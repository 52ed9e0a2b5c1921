"""What the tests of actors share: virtual time, a few messages, and an actor that keeps a record."""

import functools
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import attrs
import trio
from trio.testing import MockClock

from aip_trio.actors import (
    Actor,
    ActorRef,
    ActorSystem,
    DeadLetter,
    DeadLetterReason,
    Event,
    EventSubscription,
    Reply,
    Request,
    StopReason,
    handles,
)

P = ParamSpec("P")
E = TypeVar("E", bound=Event)


def virtual(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Make an async test a plain one: a Trio run of its own, on a clock that jumps when all tasks wait."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def main() -> None:
            tasks = living()
            with trio.fail_after(100_000):  # of virtual time: a hang is a failure, not a hang
                await test(*args, **kwargs)
            assert living() == tasks, "a task is left"

        trio.run(main, clock=MockClock(autojump_threshold=0))

    return run


def living() -> int:
    """How many tasks there are."""
    return trio.lowlevel.current_statistics().tasks_living


@attrs.frozen
class Put:
    """Is written down."""

    item: object


@attrs.frozen
class Echo(Request[object]):
    """Is written down, and answered with itself."""

    item: object


@attrs.frozen
class Count(Request[int]):
    """How many were written down."""


@attrs.frozen
class Crash:
    """Crashes whoever takes it."""

    error: BaseException


@attrs.frozen
class CrashAsked(Request[None]):
    """The same, asked."""

    error: BaseException


@attrs.frozen
class Hold(Request[str]):
    """Keeps the handler until the gate opens."""

    gate: trio.Event


@attrs.frozen
class Owe(Request[str]):
    """Its Reply is put here, and not used."""

    replies: list[Reply[str]]


@attrs.frozen
class Quit:
    """Ends it normally."""


@attrs.frozen
class Unknown:
    """Nobody handles it."""


@attrs.frozen
class UnknownAsked(Request[int]):
    """Nobody answers it."""


class Keeper(Actor):
    """Writes what happens to it into a list that outlives it."""

    def __init__(self, log: list[object] | None = None) -> None:
        self.log: list[object] = [] if log is None else log

    async def stopping(self, reason: StopReason | BaseException) -> None:
        self.log.append(reason)

    @handles
    async def put(self, message: Put) -> None:
        self.log.append(message.item)

    @handles
    async def echo(self, message: Echo) -> object:
        self.log.append(message.item)
        return message.item

    @handles
    async def count(self, message: Count) -> int:
        return len(self.log)

    @handles
    async def crash(self, message: Crash | CrashAsked) -> None:
        raise message.error

    @handles
    async def hold(self, message: Hold) -> str:
        await message.gate.wait()
        return "let go"

    @handles
    async def owe(self, message: Owe, reply: Reply[str]) -> None:
        message.replies.append(reply)

    @handles
    async def quit(self, message: Quit) -> None:
        self.stop()


async def busy(ref: ActorRef, nursery: trio.Nursery) -> trio.Event:
    """Keep this Keeper in a handler until the event that is returned is set."""
    gate = trio.Event()
    nursery.start_soon(ref.tell, Hold(gate))
    await trio.testing.wait_all_tasks_blocked()
    return gate


class Watch:
    """The events so far."""

    def __init__(self, subscription: EventSubscription) -> None:
        self._subscription = subscription

    @property
    def all(self) -> list[Event]:
        """Every one since the last look."""
        events: list[Event] = []
        buffer = self._subscription._buffer
        while buffer:
            events.append(buffer.popleft())
        return events

    def dead(self) -> list[tuple[object, DeadLetterReason]]:
        """The dead letters since the last look, each with why."""
        return [(event.message, event.reason) for event in self.all if isinstance(event, DeadLetter)]


@contextmanager
def watching(system: ActorSystem) -> Generator[Watch]:
    """Events, without a task that reads them."""
    with system.events.subscribe(capacity=100_000) as subscription:
        yield Watch(subscription)
