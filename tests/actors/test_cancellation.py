"""Each call cancelled at every checkpoint, with a `started` and a `stopping` that wait."""

from collections.abc import Awaitable, Callable

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    ActorRef,
    ActorSystem,
    ChildSpec,
    Reply,
    StopReason,
    Supervisor,
    SupervisorRef,
    handles,
    open_system,
)
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from tests.actors.support import Count, Echo, Hold, Keeper, Owe, Put, living


class Slow(Keeper):
    """Takes a while to start and to stop, and counts who is there."""

    def __init__(self, alive: list[str], log: list[object] | None = None) -> None:
        super().__init__(log)
        self.alive = alive

    async def started(self) -> None:
        self.name = self.ref.name
        self.alive.append(self.name)
        await trio.sleep(1)

    async def stopping(self, reason: StopReason | BaseException) -> None:
        await trio.sleep(1)
        self.alive.remove(self.name)
        self.log.append("end")


class SlowParent(Slow):
    """The same, with a child."""

    async def started(self) -> None:
        await super().started()
        await self.spawn(Slow, self.alive, name="child")


class SlowFleet(Supervisor):
    def __init__(self, alive: list[str]) -> None:
        super().__init__(*(ChildSpec(name, Slow, alive) for name in ("one", "two")))


def every(scenario: Callable[[CancelPoint, ActorSystem], Awaitable[None]]) -> None:
    """Cancel a scenario that needs a system, and look whether a task is left behind."""

    async def run(point: CancelPoint) -> None:
        tasks = living()
        async with open_system() as system:
            await scenario(point, system)
        assert living() == tasks

    assert cancel_at_every_checkpoint(run) >= 1


@pytest.mark.parametrize("factory", [Slow, SlowParent, SlowFleet])
def test_a_cancelled_spawn_leaves_no_actor(factory: type[Slow] | type[SlowFleet]) -> None:
    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        alive: list[str] = []
        ref: ActorRef | None = None
        with point:
            ref = await system.spawn(factory, alive, name="spawned")
        if ref is None:
            assert system.tree().children == ()
            assert alive == []
            ref = await system.spawn(factory, alive, name="spawned")  # the name is free
        assert system.find("/spawned") == ref
        await ref.stop()
        assert alive == []

    every(scenario)


@attrs.frozen
class Bear:
    """Has a child, which may be cancelled."""

    point: CancelPoint
    alive: list[str]


def test_a_cancelled_spawn_of_a_child_leaves_none() -> None:
    class Parent(Keeper):
        @handles
        async def bear(self, message: Bear) -> None:
            ref: ActorRef | None = None
            with message.point:
                ref = await self.spawn(Slow, message.alive, name="child")
            self.log.append(ref)

    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        log: list[object] = []
        alive: list[str] = []
        parent = await system.spawn(Parent, log, name="parent")
        await parent.tell(Bear(point, alive))
        await parent.ask(Count())
        assert log == [system.find("/parent/child")]
        assert alive == ([] if log == [None] else ["child"])

    every(scenario)


def test_a_cancelled_start_child_leaves_no_child_and_no_spec() -> None:
    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        alive: list[str] = []
        boss: SupervisorRef = await system.spawn(Supervisor, name="boss")
        child: ActorRef | None = None
        with point:
            child = await boss.start_child(ChildSpec("child", Slow, alive))
        assert system.find("/boss/child") == child
        assert alive == ([] if child is None else ["child"])
        assert len(boss.which_children()) == len(alive)

    every(scenario)


def test_a_cancelled_tell_was_sent_or_was_not() -> None:
    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        log: list[object] = []
        keeper = await system.spawn(Keeper, log)
        with point:
            await keeper.tell(Put("told"))
        await keeper.ask(Count())
        assert log == ([] if point.cancelled else ["told"])
        assert system.statistics().dead == 0

    every(scenario)


def test_a_cancelled_tell_to_a_full_mailbox_was_sent_or_was_not() -> None:
    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        log: list[object] = []
        keeper = await system.spawn(Keeper, log, mailbox=1)
        gate = trio.Event()
        keeper.tell_nowait(Hold(gate))
        await wait_all_tasks_blocked()
        keeper.tell_nowait(Put("first"))

        async def let_go() -> None:
            await trio.sleep(1)
            gate.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(let_go)
            with point:
                await keeper.tell(Put("told"))
        await keeper.ask(Count())
        assert log == (["first"] if point.cancelled else ["first", "told"])
        assert system.statistics().dead == 0

    every(scenario)


@pytest.mark.parametrize("room", [True, False])
def test_a_cancelled_ask_is_skipped_or_handled_once(room: bool) -> None:
    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        log: list[object] = []
        keeper = await system.spawn(Keeper, log, mailbox=8 if room else 1)
        gate = trio.Event()
        keeper.tell_nowait(Hold(gate))
        await wait_all_tasks_blocked()
        keeper.tell_nowait(Put("first"))

        async def let_go() -> None:
            await trio.sleep(1)
            gate.set()

        answer: object = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(let_go)
            with point:
                answer = await keeper.ask(Echo("asked"))
        await keeper.ask(Count())
        assert log in (["first"], ["first", "asked"])
        if answer is not None:
            assert log == ["first", "asked"]
        assert system.tree().children[0].mailbox == 0
        assert system.statistics().dead == 0

    every(scenario)


def test_a_cancelled_ask_in_hand_is_finished() -> None:
    class Working(Keeper):
        @handles
        async def echo(self, message: Echo) -> object:
            await trio.sleep(1)
            return await super().echo(message)

    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        log: list[object] = []
        working = await system.spawn(Working, log)
        with point:
            await working.ask(Echo("asked"))
        await working.ask(Count())
        assert log in ([], ["asked"])
        assert await working.ask(Echo("next")) == "next"

    every(scenario)


def test_a_cancelled_ask_that_waits_for_a_deferred_answer_has_gone() -> None:
    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        replies: list[Reply[str]] = []
        keeper = await system.spawn(Keeper)
        answer: str | None = None

        async def reply() -> None:
            await trio.sleep(1)
            for reply in replies:
                assert reply.withdrawn or not point.cancelled
                reply.send("answered")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(reply)
            with point:
                answer = await keeper.ask(Owe(replies))
        assert answer in (None, "answered")
        assert await keeper.ask(Echo("next")) == "next"

    every(scenario)


@attrs.frozen
class AskOn:
    """Asks another, which may be cancelled."""

    point: CancelPoint
    target: ActorRef


def test_a_cancelled_ask_leaves_no_edge_behind() -> None:
    class Asking(Keeper):
        @handles
        async def ask_on(self, message: AskOn) -> None:
            with message.point:
                await message.target.ask(Echo("asked"))

        @handles
        async def echo(self, message: Echo) -> object:
            if isinstance(message.item, ActorRef):
                return await message.item.ask(Echo("back"))
            return message.item

    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        asking, other = await system.spawn(Asking), await system.spawn(Asking)
        await asking.tell(AskOn(point, other))
        await asking.ask(Count())
        assert await other.ask(Echo(asking)) == "back"  # no AskCycle
        assert asking._cell.waits == {}

    every(scenario)


def test_a_cancelled_stop_is_made_all_the_same_and_once() -> None:
    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        alive: list[str] = []
        log: list[object] = []
        slow = await system.spawn(Slow, alive, log, name="slow")
        keeper = await system.spawn(Keeper)
        with point:
            await slow.stop()
        began = point.cancelled is False or system.find("/slow") is None or slow._cell.told_to_stop
        if not began:  # cancelled before it began
            assert point.moment == 0
            await slow.stop()
        await slow.stopped()
        assert alive == []
        assert log == ["end"]
        assert system.find("/slow") is None
        assert await keeper.ask(Echo("others go on")) == "others go on"

    every(scenario)


def test_a_cancelled_wait_for_an_end_changes_nothing() -> None:
    async def scenario(point: CancelPoint, system: ActorSystem) -> None:
        keeper = await system.spawn(Keeper)

        async def quit_later() -> None:
            await trio.sleep(1)
            await keeper.stop()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(quit_later)
            with point:
                await keeper.stopped()
            if point.cancelled and trio.current_time() == 0:
                assert await keeper.ask(Echo(1)) == 1
        assert not keeper._cell.waiters

    every(scenario)


def test_a_cancelled_system_leaves_nobody() -> None:
    async def scenario(point: CancelPoint) -> None:
        tasks = living()
        alive: list[str] = []
        log: list[object] = []
        with point:
            async with open_system(cancel_grace=60) as system:
                keeper = await system.spawn(Slow, alive, log, name="slow")
                await system.spawn(SlowParent, alive, name="parent")
                await system.spawn(SlowFleet, alive, name="fleet")
                await keeper.ask(Echo(1))
                await trio.sleep(1)
        assert alive == []
        assert living() == tasks
        assert log.count("end") <= 1

    assert cancel_at_every_checkpoint(scenario) >= 5


def test_a_system_cancelled_in_its_body_or_while_it_is_left_ends_in_order() -> None:
    ends: list[str] = []

    class Noting(Slow):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            await super().stopping(reason)
            ends.append(self.name)

    async def scenario(point: CancelPoint) -> None:
        alive: list[str] = []
        ends.clear()
        names = ["first", "second", "third"]
        with point:
            async with open_system() as system:
                for name in names:
                    await system.spawn(Noting, alive, name=name)
                await trio.sleep(1)
        assert alive == []
        assert ends == sorted(ends, key=names.index, reverse=True)
        if not point.cancelled:
            assert ends == names[::-1]

    cancel_at_every_checkpoint(scenario)
