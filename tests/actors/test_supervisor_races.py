"""Cases that the random tests of supervision found, each by itself."""

from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    Actor,
    AutoShutdown,
    Backoff,
    ChildSpec,
    ChildState,
    Ignore,
    OutcomeKind,
    Strategy,
    Supervisor,
    SupervisorRef,
    open_system,
)
from aip_trio.actors._spec import Flags
from aip_trio.errors import ActorStopped, InvalidSpec, NotRunning
from tests.actors.model._loose import Loose, spec
from tests.actors.model._nodes import Node
from tests.actors.model._real import CrashNow, Life, Worker, World
from tests.actors.support import virtual

CRASH = CrashNow(background=False)


def worker() -> Worker:
    """One that crashes when told."""
    return Worker(Life(World(), "", brutal=False), Node(""))


class Brief(Actor):
    """Ends as soon as it is up."""

    async def started(self) -> None:
        self.stop()


class Slow(Actor):
    """Takes its time to start, and to stop."""

    async def started(self) -> None:
        await trio.sleep(1)

    async def stopping(self, reason: object) -> None:
        await trio.sleep(1)


@virtual
async def test_a_significant_child_may_end_before_the_last_child_has_started() -> None:
    specs = ChildSpec("brief", Brief, restart="transient", significant=True), ChildSpec("slow", Slow)
    async with open_system() as system:
        supervisor = await system.spawn(lambda: Supervisor(*specs, auto_shutdown="any_significant"))
        await supervisor.stopped()


class SlowHead(Supervisor):
    """Takes its time before it starts its children."""

    async def started(self) -> None:
        await trio.sleep(1)


class Forestalls(Supervisor):
    """Spawns a child under a name that a spec has."""

    async def started(self) -> None:
        await self.spawn(worker, name="child")


@virtual
async def test_no_child_is_added_before_the_first_ones() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        nursery.start_soon(partial(system.spawn, lambda: SlowHead(ChildSpec("child", worker)), name="head"))
        await wait_all_tasks_blocked()
        head = system.find("/head")
        assert isinstance(head, SupervisorRef)
        with pytest.raises(NotRunning):
            await head.start_child(ChildSpec("child", worker))
        await trio.sleep(2)
        assert head.count_children().active == 1


@virtual
async def test_a_name_taken_in_started_is_no_longer_free_for_a_spec() -> None:
    async with open_system() as system:
        with pytest.raises(InvalidSpec, match="child"):
            await system.spawn(lambda: Forestalls(ChildSpec("child", worker)))


@virtual
async def test_those_that_wait_for_a_restart_that_is_called_off_are_at_rest() -> None:
    backoff = Backoff(initial=10.0, jitter=False)
    specs = ChildSpec("bystander", worker), ChildSpec("crashes", worker, backoff=backoff)
    async with open_system() as system:
        supervisor = await system.spawn(lambda: Supervisor(*specs, strategy="one_for_all"))
        bystander, crashes = (info.ref for info in supervisor.which_children())
        crashes.tell_nowait(CRASH)
        await wait_all_tasks_blocked()
        await supervisor.terminate_child("crashes")
        await bystander.stopped()
        with pytest.raises(ActorStopped):
            await bystander.tell(CRASH)


@virtual
async def test_a_start_that_fails_while_its_supervisor_stops_is_an_end_for_good() -> None:
    first = [True]

    class FailsToComeBack(Worker):
        async def started(self) -> None:
            if not first:
                await trio.sleep(0.5)  # less than its sibling's end takes
                raise ValueError
            first.clear()

    def fails_to_come_back() -> Worker:
        return FailsToComeBack(Life(World(), "", brutal=False), Node(""))

    async with open_system() as system:
        specs = ChildSpec("child", fails_to_come_back), ChildSpec("slow", Slow)
        supervisor = await system.spawn(lambda: Supervisor(*specs))
        child = supervisor.which_children()[0].ref
        child.tell_nowait(CRASH)
        await wait_all_tasks_blocked()
        assert supervisor.which_children()[0].state is ChildState.STARTING
        await supervisor.stop()
        await child.stopped()


@virtual
async def test_a_bystander_that_ran_long_enough_has_its_failures_forgotten() -> None:
    backoff = Backoff(initial=0.5, jitter=False, reset_after=5.0, max_retries=1)
    specs = ChildSpec("first", worker), ChildSpec("second", worker, backoff=backoff)
    async with open_system() as system:
        supervisor = await system.spawn(lambda: Supervisor(*specs, strategy="rest_for_one"))
        first, second = (info.ref for info in supervisor.which_children())
        second.tell_nowait(CRASH)
        await trio.sleep(10)
        first.tell_nowait(CRASH)
        await trio.sleep(1)  # too short: but before that, it ran long enough
        second.tell_nowait(CRASH)
        await trio.sleep(10)
        assert [node.restarts for node in system.tree().walk()] == [0, 0, 1, 3]  # it has not given up


@pytest.mark.parametrize("_attempt", range(10))  # two tasks have their turn at once, in any order
@virtual
async def test_restart_child_gives_the_ref_of_one_that_has_ended_by_then(_attempt: int) -> None:
    first = [True]

    def brief() -> Brief:
        if first:
            first.clear()
            raise Ignore
        return Brief()

    async with open_system() as system:
        child = ChildSpec("brief", brief, restart="transient", significant=True)
        supervisor = await system.spawn(lambda: Supervisor(child, auto_shutdown="any_significant"))
        ref = await supervisor.restart_child("brief")
        assert ref.name == "brief"
        await supervisor.stopped()


def test_a_caller_that_has_gone_takes_no_other_callers_answer_along() -> None:
    loose = Loose(Flags())
    loose.begin([])
    loose.start_child(spec("child"))
    start = loose.abandonable[0]
    assert start.child is not None
    loose.down(start.child, OutcomeKind.IGNORED)
    loose.restart_child("child")
    loose.abandon(start)
    loose.settle()
    loose.check_rest()


def test_terminating_one_that_hangs_in_a_groups_restart_leaves_nobody_half_restarted() -> None:
    loose = Loose(Flags(strategy=Strategy.ONE_FOR_ALL, auto_shutdown=AutoShutdown.NEVER))
    loose.begin([spec("a"), spec("b")])
    loose.settle()
    b = loose.core.children["b"]
    loose.down(b, OutcomeKind.CRASHED)
    loose.down(loose.core.children["a"], OutcomeKind.STOPPED)
    loose.terminate_child("a")  # it is starting again
    loose.settle()
    loose.check_rest()
    assert b.state is ChildState.IDLE
