"""How a case of the suite is run: a system in virtual time, and what is left of it afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypedDict, Unpack

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.actors import (
    ActorRef,
    ActorSystem,
    ChildOptions,
    ChildSpec,
    Crashed,
    Event,
    Stopped,
    Supervisor,
    SupervisorRef,
    open_system,
)
from aip_trio.actors._supervisor import AutoShutdownName, StrategyName
from tests.actors.otp._children import Journal, WhichPid, Worker

#: Seconds that nothing needs which happens at once.
_AT_ONCE = 0.001


class SupFlags(TypedDict, total=False):
    """The flags of a supervisor, as keywords."""

    strategy: StrategyName
    intensity: int
    period: float
    auto_shutdown: AutoShutdownName


class Case:
    """A running system, its journal and its events."""

    def __init__(self, system: ActorSystem) -> None:
        self.system = system
        self.journal = Journal()
        self.events: list[Event] = []

    async def collect(self) -> None:
        """Note what is told, until the system has closed."""
        with self.system.events.subscribe(capacity=10_000) as events:
            async for event in events:
                self.events.append(event)
                del event  # its error holds the frames of the actor that crashed

    # Trees

    def child(
        self,
        name: str,
        kind: Callable[..., Worker] = Worker,
        *args: object,
        **options: Unpack[ChildOptions],
    ) -> ChildSpec:
        """The spec of a worker, permanent unless said otherwise."""
        return ChildSpec(name, kind, self.journal, *args, **options)

    def factory(self, *specs: ChildSpec, **flags: Unpack[SupFlags]) -> Callable[[], Supervisor]:
        """A supervisor, with the limit that most cases have: 2 restarts in an hour."""
        flags = {"intensity": 2, "period": 3600.0, **flags}
        return partial(Supervisor, *specs, **flags)

    async def supervisor(
        self, *specs: ChildSpec, name: str = "sup", **flags: Unpack[SupFlags]
    ) -> SupervisorRef:
        """Start one below the root, which does not start it again: its end can be looked at."""
        return await self.system.spawn(self.factory(*specs, **flags), name=name, restart="temporary")

    # What happens

    async def settle(self) -> None:
        """Wait until all that can happen without time going by has happened."""
        await wait_all_tasks_blocked()

    async def does(self, ref: ActorRef, message: object) -> None:
        """Have it do something, and wait for what follows."""
        ref.tell_nowait(message)
        await self.settle()

    async def pid(self, ref: ActorRef) -> int:
        """Which incarnation runs; fails where none does."""
        with trio.fail_after(_AT_ONCE):
            return await ref.ask(WhichPid())

    async def down(self, ref: ActorRef) -> bool:
        """Whether it has ended, and is not to come again by itself."""
        await self.settle()
        with trio.move_on_after(_AT_ONCE) as scope:
            await ref.stopped()
        return not scope.cancelled_caught

    def crash(self, ref: ActorRef) -> BaseException | None:
        """How it ended the last time: its error, or None where it ended in order."""
        ends = [e for e in self.events if e.uid == ref.uid and isinstance(e, Crashed | Stopped)]
        assert ends, f"{ref} has not ended"
        return ends[-1].error if isinstance(ends[-1], Crashed) else None

    def told(self, kind: type[Event]) -> list[str]:
        """The paths of the actors of which this was told, in order."""
        return [event.path for event in self.events if isinstance(event, kind)]


def run(body: Callable[[Case], Awaitable[None]], *, events: bool = True) -> None:
    """Run a case in virtual time; nothing of it may be left when its system has closed.

    Without ``events`` nobody listens to them, and nothing can be said of an actor's crash.
    """

    async def main() -> None:
        before = trio.lowlevel.current_statistics().tasks_living
        async with open_system() as system:
            case = Case(system)
            if events:
                trio.lowlevel.spawn_system_task(case.collect)
                await case.settle()
            await body(case)
        await wait_all_tasks_blocked()
        assert case.journal.alive == {}
        assert trio.lowlevel.current_statistics().tasks_living == before

    trio.run(main, clock=MockClock(autojump_threshold=0))


# What a supervisor says of its children


def counts(sup: SupervisorRef) -> list[int]:
    """As OTP's suite has it: [specs, active, supervisors, workers]."""
    told = sup.count_children()
    return [told.specs, told.active, told.supervisors, told.workers]


def states(sup: SupervisorRef) -> dict[str, str]:
    """Its children in order of start, and where they stand."""
    return {child.name: child.state.value for child in sup.which_children()}


def as_supervisor(ref: ActorRef | None) -> SupervisorRef:
    """A ref that is a supervisor's."""
    assert isinstance(ref, SupervisorRef)
    return ref
