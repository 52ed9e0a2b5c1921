"""CHILD_MACHINE walked beside a real child of a real supervisor."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    CHILD_MACHINE,
    Actor,
    Backoff,
    ChildEvent,
    ChildSpec,
    ChildState,
    Ignore,
    StopReason,
    Supervisor,
    SupervisorRef,
    handles,
    open_system,
)
from aip_trio.errors import AipError, ChildRefusal
from aip_trio.testing import async_machine_test
from tests.actors.model._settings import examples

_DELAY = 1.0


class NoCause(Exception):
    """Nothing that can be done to a child in this state has this effect."""


@attrs.frozen
class End:
    """End: by itself, or with a crash."""

    crash: bool


class Gates:
    """What holds up a child in its start and in its end."""

    def __init__(self) -> None:
        self.close()
        self.declines = self.open_for_good = False

    def close(self) -> None:
        self.start, self.end = trio.Event(), trio.Event()

    def open_all(self) -> None:
        self.open_for_good = True
        self.start.set()
        self.end.set()


class Gated(Actor):
    """Starts and stops no sooner than it may."""

    def __init__(self, gates: Gates) -> None:
        self.gates = gates
        if not gates.open_for_good:
            gates.close()

    async def started(self) -> None:
        await self.gates.start.wait()
        if self.gates.declines:
            self.gates.declines = False
            raise Ignore

    async def stopping(self, reason: StopReason | BaseException) -> None:
        if reason is StopReason.SHUTDOWN:
            await self.gates.end.wait()

    @handles
    async def end(self, message: End) -> None:
        if message.crash:
            raise NoCause
        self.stop()


class RealChild:
    """One child of a supervisor; each event by what causes it in life."""

    def __init__(self, nursery: trio.Nursery, supervisor: SupervisorRef, gates: Gates) -> None:
        (info,) = supervisor.which_children()
        self.ref = info.ref
        self.nursery = nursery
        self.supervisor = supervisor
        self.gates = gates

    @property
    def state(self) -> ChildState:
        return self.ref._cell.state

    async def fire(self, event: ChildEvent) -> None:
        before = self.state
        await getattr(self, f"_{event.value}")()
        await wait_all_tasks_blocked()
        if self.state is before:
            raise NoCause

    async def _start(self) -> None:
        if self.state is ChildState.RESTARTING:
            await trio.sleep(_DELAY)
        else:
            await self._call(self.supervisor.restart_child(self.ref.name))

    async def _up(self) -> None:
        self._only_in(ChildState.STARTING)
        self.gates.start.set()

    async def _end(self) -> None:
        self._only_in(ChildState.STARTING, ChildState.RUNNING, ChildState.STOPPING)
        if self.state is ChildState.RUNNING:
            self.ref.tell_nowait(End(crash=False))
        elif self.state is ChildState.STARTING:
            self.gates.declines = True
            self.gates.start.set()
        else:
            self.gates.end.set()

    async def _stop(self) -> None:
        await self._call(self.supervisor.terminate_child(self.ref.name))

    async def _retry(self) -> None:
        """Of a crash, END and RETRY are one step: it has to run again first."""
        self._only_in(ChildState.IDLE)
        await self._start()
        await self._up()
        await wait_all_tasks_blocked()
        self.ref.tell_nowait(End(crash=True))

    async def _forget(self) -> None:
        await self._call(self.supervisor.delete_child(self.ref.name))

    def _only_in(self, *states: ChildState) -> None:
        if self.state not in states:
            raise NoCause

    async def _call(self, call: Awaitable[object]) -> None:
        """Make a call, which may well wait; raise its refusal, if it is one."""
        errors: list[AipError] = []

        async def answered() -> None:
            try:
                await call
            except AipError as error:  # a start that is called off, too
                errors.append(error)

        self.nursery.start_soon(answered)
        await wait_all_tasks_blocked()
        if errors:
            raise errors[0]


class Keeper(Supervisor):
    """Has one child, at rest."""


@asynccontextmanager
async def open_child() -> AsyncGenerator[RealChild]:
    gates = Gates()
    gates.declines = True
    gates.open_all()
    spec = ChildSpec(
        "child",
        Gated,
        gates,
        restart="transient",
        shutdown="infinity",
        backoff=Backoff(initial=_DELAY, multiplier=1.0, jitter=False),
    )
    async with trio.open_nursery() as nursery, open_system() as system:
        keeper = await system.spawn(lambda: Keeper(spec), name="keeper")
        assert isinstance(keeper, SupervisorRef)
        gates.open_for_good = False
        yield RealChild(nursery, keeper, gates)
        gates.open_all()


TestChild = async_machine_test(
    CHILD_MACHINE, open_child, refusals=(NoCause, ChildRefusal), settings=examples(60)
)
