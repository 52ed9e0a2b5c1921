"""A wait for an end is a wait: circles with one in them are refused like those of asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    ActorRef,
    ActorSystem,
    ChildSpec,
    Request,
    StopReason,
    Supervisor,
    SupervisorRef,
    handles,
    open_system,
)
from aip_trio.errors import ActorCrashed, ActorStopped, AskCycle
from tests.actors.support import Crash, Echo, Hold, Keeper, Put, virtual

Work = Callable[[], Awaitable[object]]


@attrs.frozen
class Do(Request[object]):
    """Have it do this in its handler; the answer is what comes of it, an error too."""

    work: Work


class Doer(Keeper):
    """Does what it is told; a class of errors is no crash of its."""

    @handles
    async def do(self, message: Do) -> object:
        try:
            return await message.work()
        except (AskCycle, ActorStopped) as error:
            self.log.append(error)
            return error


def do(ref: ActorRef, work: Work) -> Callable[[], Awaitable[object]]:
    """Ask it to."""
    return lambda: ref.ask(Do(work))


def cycle(outcome: object) -> tuple[str, ...]:
    """The path of the refusal, which came at once."""
    assert isinstance(outcome, AskCycle)
    assert trio.current_time() == 0
    return outcome.path


async def three(system: ActorSystem) -> list[ActorRef]:
    return [await system.spawn(Doer, name=name, shutdown="infinity") for name in "abc"]


class Doers(Supervisor):
    """Two of them, of which the first never hurries."""

    def __init__(self) -> None:
        super().__init__(ChildSpec("a", Doer, shutdown="infinity"), ChildSpec("b", Doer))


def child(supervisor: SupervisorRef, name: str) -> ActorRef:
    return next(info.ref for info in supervisor.which_children() if info.name == name)


# Above


@pytest.mark.parametrize("by_name", [True, False])
@virtual
async def test_an_actor_cannot_have_itself_terminated_and_wait_for_it(by_name: bool) -> None:
    async with open_system() as system:
        supervisor = await system.spawn(Doers, name="sup")
        a = child(supervisor, "a")
        work = partial(supervisor.terminate_child, "a" if by_name else a)
        assert cycle(await do(a, work)()) == ("/sup/a", "/sup/a")
        assert await a.ask(Echo("it lives")) == "it lives"


@virtual
async def test_nor_one_above_it() -> None:
    async with open_system() as system:
        top = await system.spawn(partial(Supervisor, ChildSpec("sup", Doers)), name="top")
        supervisor = child(top, "sup")
        assert isinstance(supervisor, SupervisorRef)
        a = child(supervisor, "a")
        for work in (partial(top.terminate_child, "sup"), supervisor.stop):
            assert cycle(await do(a, work)()) == ("/top/sup/a", "/top/sup", "/top/sup/a")
        assert cycle(await do(a, top.stop)()) == ("/top/sup/a", "/top", "/top/sup/a")


@virtual
async def test_a_namesake_of_one_above_it_may_be_stopped() -> None:
    """It stood where its parent stands now."""
    async with open_system() as system:
        old = await system.spawn(Keeper, name="sup")
        await old.stop()
        supervisor = await system.spawn(Doers, name="sup")
        assert await do(child(supervisor, "a"), old.stop)() is None


# Beside


class Scene:
    """Actors that work at the same time; each work waits for its gate first."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery

    async def begin(self, ref: ActorRef, work: Work) -> Part:
        """It has its message in hand when this returns."""
        part = Part()
        self._nursery.start_soon(part.play, ref, work)
        await wait_all_tasks_blocked()
        return part


class Part:
    """What one of them does."""

    def __init__(self) -> None:
        self.outcomes: list[object] = []
        self._gate = trio.Event()

    async def play(self, ref: ActorRef, work: Work) -> None:
        async def later() -> object:
            await self._gate.wait()
            return await work()

        try:
            self.outcomes.append(await ref.ask(Do(later)))
        except (ActorStopped, ActorCrashed) as error:
            self.outcomes.append(error)

    async def go_on(self) -> list[object]:
        """Do the work now; what has come of it by the time that everybody waits."""
        self._gate.set()
        await wait_all_tasks_blocked()
        return self.outcomes


@virtual
async def test_of_two_that_stop_each_other_the_second_is_refused() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        a, b, _ = await three(system)
        scene = Scene(nursery)
        first, second = await scene.begin(a, b.stop), await scene.begin(b, a.stop)
        assert await first.go_on() == []
        assert cycle((await second.go_on())[0]) == ("/b", "/a", "/b")
        assert first.outcomes == [None]
        assert system.find("/b") is None
        assert system.find("/a") == a


@virtual
async def test_so_it_is_of_three() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        a, b, c = await three(system)
        scene = Scene(nursery)
        parts = [await scene.begin(ref, work) for ref, work in ((a, b.stop), (b, c.stop), (c, a.stop))]
        assert await parts[0].go_on() == await parts[1].go_on() == []
        assert cycle((await parts[2].go_on())[0]) == ("/c", "/a", "/b", "/c")
        assert [part.outcomes for part in parts[:2]] == [[None], [None]]


@virtual
async def test_one_that_is_asked_cannot_stop_its_asker() -> None:
    async with open_system() as system:
        a, b, _ = await three(system)
        outcome = await do(a, do(b, a.stop))()
        assert cycle(outcome) == ("/b", "/a", "/b")


@virtual
async def test_one_that_is_being_stopped_cannot_ask_who_stops_it() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        a, b, _ = await three(system)
        scene = Scene(nursery)
        first, second = await scene.begin(a, b.stop), await scene.begin(b, lambda: a.ask(Echo(1)))
        assert await first.go_on() == []
        assert cycle((await second.go_on())[0]) == ("/b", "/a", "/b")
        assert first.outcomes == [None]


@virtual
async def test_nor_can_what_is_below_it() -> None:
    class Parent(Doer):
        async def started(self) -> None:
            await self.spawn(Doer, name="child", shutdown="infinity")

    async with open_system() as system, trio.open_nursery() as nursery:
        a = await system.spawn(Doer, name="a")
        parent = await system.spawn(Parent, name="p", shutdown="infinity")
        below = system.find("/p/child")
        assert below is not None
        scene = Scene(nursery)
        first, second = await scene.begin(a, parent.stop), await scene.begin(below, lambda: a.ask(Echo(1)))
        assert await first.go_on() == []
        assert cycle((await second.go_on())[0]) == ("/p/child", "/a", "/p", "/p/child")
        assert first.outcomes == [None]


@virtual
async def test_what_waits_for_room_there_counts_as_well() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        a = await system.spawn(Doer, name="a", mailbox=1)
        b = await system.spawn(Doer, name="b")
        scene = Scene(nursery)
        first = await scene.begin(a, lambda: b.ask(Echo(1)))
        second = await scene.begin(b, lambda: a.tell(Put(2)))
        a.tell_nowait(Put(1))
        assert await second.go_on() == []  # b waits for room at a
        assert cycle((await first.go_on())[0]) == ("/a", "/b", "/a")
        assert second.outcomes == [None]


@virtual
async def test_who_is_cancelled_at_once_may_be_stopped_by_whom_it_waits_for() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        a = await system.spawn(Doer, name="a")
        brutal = await system.spawn(Doer, name="brutal", shutdown="brutal")
        scene = Scene(nursery)
        part = await scene.begin(brutal, do(a, brutal.stop))
        (outcome,) = await part.go_on()
        assert isinstance(outcome, ActorStopped)  # its asker's: it was in hand
        assert a._cell.actor is not None
        assert await a.ask(Echo("it lives")) == "it lives"


@virtual
async def test_a_start_may_be_stopped_by_whom_it_waits_for() -> None:
    class Asks(Keeper):
        async def started(self) -> None:
            await do(a, self.ref.stop)()

    async with open_system() as system:
        a = await system.spawn(Doer, name="a")
        with pytest.raises(ActorStopped):
            await system.spawn(Asks, shutdown="infinity")
        assert await a.ask(Echo("it lives")) == "it lives"


@virtual
async def test_stops_that_close_no_circle_are_made() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        a, b, c = await three(system)
        scene = Scene(nursery)
        waits = await scene.begin(b, lambda: c.ask(Echo(1)))
        stops = await scene.begin(a, b.stop)
        assert await stops.go_on() == []
        assert await waits.go_on() == [1]
        assert stops.outcomes == [None]
        assert await do(a, c.stop)() is None


# In a group that is being restarted


async def group(system: ActorSystem, *specs: ChildSpec) -> SupervisorRef:
    return await system.spawn(partial(Supervisor, *specs, strategy="one_for_all"), name="group")


CALLS: list[Callable[[SupervisorRef, ActorRef], Awaitable[object]]] = [
    lambda group, other: other.stop(),
    lambda group, other: group.terminate_child("other"),
    lambda group, other: group.restart_child(other),
    lambda group, other: group.delete_child(other),
    lambda group, other: group.start_child(ChildSpec("new", Keeper)),
]


@pytest.mark.parametrize("early", [True, False])  # the call comes before its member is told to stop, or after
@pytest.mark.parametrize("number", range(len(CALLS)))
@virtual
async def test_a_member_that_the_restart_waits_for_cannot_wait_for_the_restart(
    number: int, early: bool
) -> None:
    specs = (
        ChildSpec("other", Keeper),
        ChildSpec("doer", Doer, shutdown="infinity"),
        ChildSpec("slow", Keeper, shutdown="infinity"),
    )
    async with open_system() as system, trio.open_nursery() as nursery:
        sup = await group(system, *specs)
        other, doer, slow = (info.ref for info in sup.which_children())
        gate = trio.Event()
        slow.tell_nowait(Hold(gate))
        part = await Scene(nursery).begin(doer, lambda: CALLS[number](sup, other))
        other.tell_nowait(Crash(KeyError("planted")))
        await wait_all_tasks_blocked()  # the restart waits for the slow one now, and then for the doer
        if early:
            assert await part.go_on() == []
            gate.set()
            await wait_all_tasks_blocked()
        else:
            gate.set()
            await wait_all_tasks_blocked()
            await part.go_on()
        path = cycle(part.outcomes[0])
        assert path[0] == path[-1] == "/group/doer"
        assert await doer.ask(Echo("it is back")) == "it is back"
        assert {info.name for info in sup.which_children()} <= {"other", "doer", "slow"}


# Above, and about to end


class Parent(Doer):
    async def started(self) -> None:
        self.child = await self.spawn(Doer, self.log, name="child", shutdown="infinity")


async def family(system: ActorSystem, log: list[object]) -> tuple[ActorRef, ActorRef]:
    parent = await system.spawn(Parent, log, name="parent")
    below = system.find("/parent/child")
    assert below is not None
    return parent, below


def stopped(outcome: object, actor: str) -> None:
    assert isinstance(outcome, ActorStopped)
    assert outcome.actor == actor
    assert trio.current_time() == 0


@pytest.mark.parametrize("told", [True, False])
@virtual
async def test_a_child_that_asks_above_when_that_is_about_to_end_is_told_so(told: bool) -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        parent, below = await family(system, log)
        part = await Scene(nursery).begin(below, lambda: parent.ask(Echo(1)))
        if told:
            nursery.start_soon(parent.stop)
        else:
            parent.tell_nowait(Crash(KeyError("planted")))
        await wait_all_tasks_blocked()
        assert below._cell.told_to_stop
        stopped((await part.go_on())[0], "/parent")


@virtual
async def test_a_child_that_has_asked_above_is_let_go_when_that_ends() -> None:
    log: list[object] = []

    async def crash() -> object:
        raise KeyError("planted")

    async with open_system() as system, trio.open_nursery() as nursery:
        parent, below = await family(system, log)
        scene = Scene(nursery)
        crashes = await scene.begin(parent, crash)
        asks = await scene.begin(below, lambda: parent.ask(Echo(1)))
        assert await asks.go_on() == []
        assert isinstance((await crashes.go_on())[0], ActorCrashed)
        stopped(asks.outcomes[0], "/parent")


@virtual
async def test_one_beside_that_a_child_waits_for_is_told_so_too() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        parent, below = await family(system, log)
        friend = await system.spawn(Doer, name="friend")
        scene = Scene(nursery)
        asks = await scene.begin(friend, lambda: parent.ask(Echo(1)))
        waits = await scene.begin(below, lambda: friend.ask(Echo(2)))
        await waits.go_on()
        nursery.start_soon(parent.stop)
        await wait_all_tasks_blocked()
        stopped((await asks.go_on())[0], "/parent")
        assert waits.outcomes == [2]


@virtual
async def test_stopping_may_not_wait_for_what_is_above_either() -> None:
    outcomes: list[object] = []

    class Asks(Keeper):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            with pytest.raises(ActorStopped) as raised:
                await top.ask(Echo(1))
            outcomes.append(raised.value)

    async with open_system() as system:
        top = await system.spawn(partial(Supervisor, ChildSpec("asks", Asks)), name="top")
        await top.stop()
        stopped(outcomes[0], "/top")


@virtual
async def test_a_circle_of_very_many_is_found() -> None:
    length = 3000
    async with open_system() as system:
        refs = [await system.spawn(Doer, name=str(number)) for number in range(length)]
        work: Work = partial(refs[0].ask, Echo(1))
        for ref in reversed(refs):
            work = do(ref, work)
        outcome = await work()
        path = cycle(outcome)
        assert len(path) == length + 1
        assert path[0] == path[-1] == f"/{length - 1}"
