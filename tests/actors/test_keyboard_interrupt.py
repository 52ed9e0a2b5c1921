"""KeyboardInterrupt: raised at once in what the user wrote, and later where the runtime is at work."""

import functools
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any, cast

import pytest
import trio
from hypothesis import given, strategies as st
from trio.lowlevel import currently_ki_protected
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio import actors
from aip_trio.actors import (
    Actor,
    ActorRef,
    ChildSpec,
    Reply,
    StopReason,
    Supervisor,
    handles,
    open_system,
)
from aip_trio.actors._groups import interrupts
from tests.actors.model._settings import examples
from tests.actors.support import Count, Crash, Echo, Hold, Keeper, Owe, Put, virtual

RUNTIME = str(Path(actors.__file__).parent)


def run(body: Callable[[], Awaitable[None]]) -> None:
    """In virtual time, which ends where everything waits for ever."""

    async def hangs() -> None:
        await trio.sleep(10_000)
        raise AssertionError("it hangs")  # in a system task: it ends the whole run

    async def main() -> None:
        trio.lowlevel.spawn_system_task(hangs)
        await body()

    trio.run(main, clock=MockClock(autojump_threshold=0))


# Anywhere


class Child(Keeper):
    """Has a task, a timer and a full mailbox."""

    async def started(self) -> None:
        self.nursery.start_soon(trio.sleep, 1)
        self.every(0.5, Put("tick"))

    @handles
    async def put(self, message: Put) -> None:
        await super().put(message)
        await trio.lowlevel.checkpoint()


class Parent(Keeper):
    """Spawns in its start, and asks in a handler."""

    async def started(self) -> None:
        self.child = await self.spawn(Child, name="child", mailbox=1)
        self.monitor(self.child)

    @handles
    async def echo(self, message: Echo) -> object:
        for _ in range(3):
            await self.child.tell(Put("in turn"))
        return await self.child.ask(Echo(message.item))


class Pair(Supervisor):
    """Two that are restarted together."""

    def __init__(self) -> None:
        super().__init__(ChildSpec("left", Keeper), ChildSpec("right", Keeper), strategy="one_for_all")


async def busy_life() -> None:
    """A bit of everything that the runtime does."""
    async with open_system() as system, trio.open_nursery() as nursery:
        parent = await system.spawn(Parent, name="parent")
        pair = await system.spawn(Pair, name="pair")
        left, right = (info.ref for info in pair.which_children())
        nursery.start_soon(parent.ask, Echo("asked"))
        await right.tell(Put("told"))
        left.tell_nowait(Crash(KeyError("planted")))
        await wait_all_tasks_blocked()
        with trio.move_on_after(1):
            await right.ask(Hold(trio.Event()))
        await pair.terminate_child("left")
        await pair.restart_child("left")
        nursery.start_soon(left.stopped)
        await left.stop()
        system.tree()


class Strike:
    """Sends SIGINT when so many lines of the runtime have been run."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.lines: list[tuple[str, int]] = []

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(RUNTIME):
            return None
        if event == "line":
            self.lines.append((frame.f_code.co_filename, frame.f_lineno))
            if len(self.lines) == self.at:
                signal.raise_signal(signal.SIGINT)
        return self

    def run(self) -> None:
        before = sys.gettrace()
        sys.settrace(self)
        try:
            run(busy_life)
        finally:
            sys.settrace(before)


@functools.cache
def first_times() -> list[int]:
    """When each line of the runtime is run for the first time, in a run without an interrupt."""
    strike = Strike(None)
    strike.run()
    return [strike.lines.index(line) + 1 for line in dict.fromkeys(strike.lines)]


@examples(200)
@given(st.integers(0, 10_000))
def test_wherever_it_lands_the_run_ends_with_it(number: int) -> None:
    moments = first_times()
    moment = moments[number % len(moments)]
    strike = Strike(moment)
    raised: BaseException | None = None
    try:
        strike.run()
    except (KeyboardInterrupt, BaseExceptionGroup) as error:  # of the body's own nursery
        raised = cast("BaseException", error)
    if raised is None:
        assert len(strike.lines) < moment, "it was lost"  # the tasks took their turns in another order
    else:
        assert interrupts(raised)


def test_it_lands_nearly_everywhere() -> None:
    assert len(first_times()) > 700


# Where it is raised at once

protected: dict[str, bool] = {}


def note(where: str) -> None:
    protected[where] = currently_ki_protected()


class Noting(Keeper):
    """Looks at each place where the runtime calls it."""

    def __init__(self) -> None:
        super().__init__()
        note("constructor")

    async def started(self) -> None:
        note("started")
        self.nursery.start_soon(self.work)

    async def work(self) -> None:
        note("task")

    async def stopping(self, reason: StopReason | BaseException) -> None:
        note("stopping")

    @handles
    async def put(self, message: Put) -> None:
        note("handler")

    @handles
    async def owe(self, message: Owe, reply: Reply[str]) -> None:
        note("deferred handler")

    @handles
    @trio.lowlevel.enable_ki_protection
    async def count(self, message: Count) -> int:
        note("handler that asks for protection")
        return 0


class NotingSupervisor(Supervisor):
    """The same for what a supervisor has."""

    async def started(self) -> None:
        note("supervisor's started")

    def children(self) -> Iterable[ChildSpec]:
        note("children")
        return ()


def factory() -> Noting:
    note("factory")
    return Noting()


@virtual
async def test_what_the_user_wrote_is_not_protected_unless_the_user_says_so() -> None:
    protected.clear()
    async with open_system() as system:
        note("body")
        noting = await system.spawn(factory)
        await system.spawn(NotingSupervisor)
        await noting.tell(Put(1))
        await noting.tell(Owe([]))
        await noting.ask(Count())
    assert protected.pop("handler that asks for protection")
    assert len(protected) == 10
    assert not any(protected.values())


# In an actor, with others about


class Owner(Keeper):
    """Has a child that would take for ever, and time for it."""

    async def started(self) -> None:
        self.child = await self.spawn(Keeper, self.log, name="child", shutdown="infinity")
        self.child.tell_nowait(Hold(trio.Event()))

    @handles
    async def put(self, message: Put) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.fail, message)

    async def fail(self, message: Put) -> None:
        assert isinstance(message.item, BaseException)
        raise message.item


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("message", [Crash, Put])  # in the handler; in a nursery of the handler's
@virtual
async def test_one_in_a_handler_does_not_wait_for_what_a_child_is_doing(
    interrupt: type[BaseException], message: type[Crash] | type[Put]
) -> None:
    log: list[object] = []
    with pytest.raises(interrupt):
        async with open_system() as system:
            owner = await system.spawn(Owner, log, shutdown="infinity")
            await wait_all_tasks_blocked()
            await owner.tell(message(interrupt()))
            await trio.sleep_forever()
    assert trio.current_time() == 0
    assert log == [StopReason.SHUTDOWN] * 2  # both have been told


@virtual
async def test_one_in_stopping_ends_the_system_too() -> None:
    class Last(Keeper):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.fail)

        async def fail(self) -> None:
            raise KeyboardInterrupt

    log: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        async with open_system() as system:
            keeper = await system.spawn(Keeper, log)
            last = await system.spawn(Last)
            await keeper.tell(Hold(trio.Event()))
            await last.stop()
            await trio.sleep_forever()
    assert log == [StopReason.SHUTDOWN]
    assert trio.current_time() == 0


@pytest.mark.parametrize("where", ["factory", "started"])
@virtual
async def test_one_in_a_start_ends_the_system_too(where: str) -> None:
    class Never(Actor):
        def __init__(self) -> None:
            if where == "factory":
                raise KeyboardInterrupt

        async def started(self) -> None:
            raise KeyboardInterrupt

    refs: list[ActorRef] = []
    with pytest.raises(KeyboardInterrupt):
        async with open_system() as system:
            refs.append(await system.spawn(Keeper))
            await system.spawn(Never)
    assert refs[0]._cell.at_rest
