import logging
from collections.abc import Callable

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    Actor,
    ActorRef,
    ChildSpec,
    Ignore,
    Shutdown,
    StopReason,
    Supervisor,
    handles,
    open_system,
)
from aip_trio.errors import ActorStopped, NotRunning, StartFailed
from tests.actors.support import Count, Crash, Echo, Hold, Keeper, Put, Quit, busy, virtual


@virtual
async def test_a_life_runs_from_constructor_to_stopping() -> None:
    log: list[object] = []

    class Whole(Keeper):
        def __init__(self, log: list[object]) -> None:
            super().__init__(log)
            log.append("constructor")

        async def started(self) -> None:
            self.log.append("started")

    async with open_system() as system:
        whole = await system.spawn(Whole, log)
        await whole.tell(Put("message"))
        await whole.ask(Count())
    assert log == ["constructor", "started", "message", StopReason.SHUTDOWN]


@virtual
async def test_spawn_returns_when_started_has() -> None:
    class Slow(Keeper):
        async def started(self) -> None:
            await trio.sleep(3)
            self.log.append("up")

    log: list[object] = []
    async with open_system() as system:
        await system.spawn(Slow, log)
        assert log == ["up"]
        assert trio.current_time() == 3


@virtual
async def test_messages_wait_until_it_is_up() -> None:
    log: list[object] = []

    class Slow(Keeper):
        async def started(self) -> None:
            self.ref.tell_nowait(Put("told"))
            await trio.sleep(3)
            self.log.append("up")

    async with open_system() as system:
        slow = await system.spawn(Slow, log)
        await slow.ask(Count())
    assert log[:2] == ["up", "told"]


@virtual
async def test_every_incarnation_is_a_new_object() -> None:
    objects: list[object] = []

    class Fresh(Keeper):
        async def started(self) -> None:
            objects.append(self)

    async with open_system() as system:
        fresh = await system.spawn(Fresh)
        await fresh.tell(Crash(KeyError("planted")))
        await fresh.ask(Count())
    assert len({id(actor) for actor in objects}) == 2


# The reason of an end


@virtual
async def test_stopping_is_told_why() -> None:
    crash = KeyError("planted")
    reasons: dict[str, list[object]] = {"quit": [], "stopped": [], "crashed": [], "left": []}
    async with open_system() as system:
        refs = {name: await system.spawn(Keeper, log, name=name) for name, log in reasons.items()}
        await refs["quit"].tell(Quit())
        await refs["stopped"].stop()
        await refs["crashed"].tell(Crash(crash))
        await wait_all_tasks_blocked()
        assert reasons["crashed"] == [crash]
    assert reasons == {
        "quit": [StopReason.NORMAL],
        "stopped": [StopReason.SHUTDOWN],
        "crashed": [crash, StopReason.SHUTDOWN],
        "left": [StopReason.SHUTDOWN],
    }


@virtual
async def test_a_crash_in_started_is_the_reason_too_and_fails_the_spawn() -> None:
    log: list[object] = []
    crash = ZeroDivisionError("planted")

    class Stillborn(Keeper):
        async def started(self) -> None:
            raise crash

    async with open_system() as system:
        with pytest.raises(StartFailed, match="could not start /x: ZeroDivisionError: planted") as raised:
            await system.spawn(Stillborn, log, name="x")
        assert raised.value.__cause__ is raised.value.cause is crash
        assert system.find("/x") is None
        assert log == [crash]


@virtual
async def test_a_constructor_that_fails_fails_the_spawn() -> None:
    crash = ZeroDivisionError("planted")

    def broken() -> Keeper:
        raise crash

    async with open_system() as system:
        with pytest.raises(StartFailed) as raised:
            await system.spawn(broken)
        assert raised.value.cause is crash
        assert system.tree().children == ()


@pytest.mark.parametrize("where", ["constructor", "started"])
@virtual
async def test_an_actor_may_decline_to_start(where: str) -> None:
    log: list[object] = []

    class Reluctant(Keeper):
        def __init__(self) -> None:
            super().__init__(log)
            if where == "constructor":
                raise Ignore

        async def started(self) -> None:
            raise Ignore

    async with open_system() as system:
        reluctant = await system.spawn(Reluctant)
        assert log == []  # nothing to stop
        assert system.tree().children == ()
        with pytest.raises(ActorStopped):
            await reluctant.tell(Put(1))
        assert system.statistics().crashes == 0


@virtual
async def test_it_is_too_late_to_decline_in_a_handler() -> None:
    log: list[object] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log)
        await keeper.tell(Crash(Ignore()))
        await keeper.ask(Count())
        assert isinstance(log[0], Ignore)
        assert system.statistics().crashes == 1


# The time for an end


class Stubborn(Keeper):
    """Needs so many seconds for its end."""

    def __init__(self, log: list[object], seconds: float) -> None:
        super().__init__(log)
        self.seconds = seconds

    async def stopping(self, reason: StopReason | BaseException) -> None:
        self.log.append("begins to stop")
        await trio.sleep(self.seconds)
        self.log.append("has stopped")


@pytest.mark.parametrize(
    ("shutdown", "expected"),
    [(None, 5), (2, 2), (0.5, 0.5), (100, 10), ("infinity", 10)],
)
@virtual
async def test_stopping_has_the_shutdown_time(
    shutdown: Shutdown | None, expected: float, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[object] = []
    async with open_system() as system:
        stubborn = await system.spawn(Stubborn, log, 10, name="stubborn", shutdown=shutdown)
        await stubborn.stop()
        assert trio.current_time() == expected
    cut_off = expected < 10
    assert log == (["begins to stop"] if cut_off else ["begins to stop", "has stopped"])
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == cut_off
    assert all("actor /stubborn did not stop within shutdown=" in message for message in messages)


@virtual
async def test_the_message_in_hand_and_stopping_share_the_shutdown_time() -> None:
    log: list[object] = []

    class Both(Stubborn):
        @handles
        async def put(self, message: Put) -> None:
            await trio.sleep(3)
            self.log.append(message.item)

    async with open_system() as system:
        both = await system.spawn(Both, log, 3)
        await both.tell(Put("in hand"))
        await wait_all_tasks_blocked()
        await both.stop()
        assert trio.current_time() == 5
    assert log == ["in hand", "begins to stop"]


@virtual
async def test_a_handler_that_outlasts_the_shutdown_time_is_cancelled_and_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log: list[object] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log, name="keeper", shutdown=2)
        await keeper.tell(Hold(trio.Event()))
        await wait_all_tasks_blocked()
        await keeper.stop()
        assert trio.current_time() == 2
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "actor /keeper did not stop within shutdown=2" in caplog.records[0].getMessage()


@virtual
async def test_brutal_cancels_at_once_and_skips_stopping() -> None:
    log: list[object] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log, shutdown="brutal")
        await keeper.tell(Hold(trio.Event()))
        await wait_all_tasks_blocked()
        await keeper.stop()
        assert trio.current_time() == 0
    assert log == []


@virtual
async def test_infinity_waits_for_the_handler() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, shutdown="infinity")
        gate = await busy(keeper, nursery)
        nursery.start_soon(keeper.stop)
        await trio.sleep(10_000)
        assert system.find(keeper.path) == keeper
        gate.set()


@virtual
async def test_a_stop_that_is_cancelled_is_made_all_the_same() -> None:
    log: list[object] = []
    async with open_system() as system:
        stubborn = await system.spawn(Stubborn, log, 3)
        with trio.move_on_after(1) as scope:
            await stubborn.stop()
        assert scope.cancelled_caught
        await stubborn.stopped()
        assert trio.current_time() == 3
        assert log == ["begins to stop", "has stopped"]


@virtual
async def test_two_stops_end_together() -> None:
    log: list[object] = []
    ends: list[float] = []

    async def stop() -> None:
        await stubborn.stop()
        ends.append(trio.current_time())

    async with open_system() as system, trio.open_nursery() as nursery:
        stubborn = await system.spawn(Stubborn, log, 3)
        nursery.start_soon(stop)
        await trio.sleep(1)
        nursery.start_soon(stop)
        await stubborn.stopped()
    assert ends == [3, 3]


@virtual
async def test_a_stop_does_not_wait_for_a_start() -> None:
    log: list[object] = []
    outcomes: list[Exception] = []

    class Slow(Keeper):
        async def started(self) -> None:
            await trio.sleep(1000)

    async def spawn() -> None:
        try:
            await system.spawn(Slow, log, name="slow")
        except ActorStopped as error:
            outcomes.append(error)

    async with open_system() as system, trio.open_nursery() as nursery:
        nursery.start_soon(spawn)
        await wait_all_tasks_blocked()
        slow = system.find("/slow")
        assert slow is not None
        await slow.stop()
        assert trio.current_time() == 0
        assert log == [StopReason.SHUTDOWN]
    assert len(outcomes) == 1


@virtual
async def test_stopping_that_raises_is_a_crash_that_is_reported_and_no_restart(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crash = ZeroDivisionError("planted")

    class Failing(Keeper):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            raise crash

    async with open_system() as system:
        failing = await system.spawn(Failing, restart="permanent")
        await failing.stop()
        assert system.statistics().crashes == 1
        assert system.statistics().restarts == 0
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[1] is crash


@virtual
async def test_stopping_that_raises_after_a_crash_keeps_both() -> None:
    first, second = KeyError("first"), ZeroDivisionError("second")

    class Failing(Keeper):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            assert reason is first
            raise second

    async with open_system() as system:
        failing = await system.spawn(Failing, restart="temporary")
        await failing.tell(Crash(first))
        await failing.stopped()
        told = failing._cell.final_error
        assert str(told).startswith(f"{failing.path} crashed, and again on its way down")
        assert getattr(told, "exceptions", None) == (first, second)


@virtual
async def test_stopping_that_raises_at_a_normal_end_is_a_crash_and_restarts_a_transient() -> None:
    class Failing(Keeper):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            if reason is StopReason.NORMAL:
                raise ZeroDivisionError("planted")

    async with open_system() as system:
        failing = await system.spawn(Failing)
        await failing.tell(Quit())
        assert await failing.ask(Echo(1)) == 1
        assert system.statistics().restarts == 1


# Ends of its own


@virtual
async def test_a_normal_end_comes_after_the_message_in_hand_and_before_the_next() -> None:
    log: list[object] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log)
        for message in (Put(1), Quit(), Put(2)):
            keeper.tell_nowait(message)
        await keeper.stopped()
        assert log == [1, StopReason.NORMAL]
        assert system.statistics().dead == 1


@virtual
async def test_an_actor_may_end_from_started_or_from_a_task() -> None:
    log: list[object] = []

    class Brief(Keeper):
        async def started(self) -> None:
            self.stop()

    class Briefer(Keeper):
        async def started(self) -> None:
            self.nursery.start_soon(self.work)

        async def work(self) -> None:
            await trio.sleep(1)
            self.stop()
            await trio.sleep_forever()

    async with open_system() as system:
        for brief in (await system.spawn(Brief, log), await system.spawn(Briefer, log)):
            await brief.stopped()
        assert log == [StopReason.NORMAL] * 2


@virtual
async def test_a_permanent_actor_comes_back_after_a_normal_end() -> None:
    log: list[object] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log, restart="permanent")
        keeper.tell_nowait(Quit())
        keeper.tell_nowait(Put("kept"))
        await keeper.ask(Count())
        assert log == [StopReason.NORMAL, "kept"]


# Tasks and children of its own


@attrs.frozen
class Work:
    """Is done by a task in self.nursery."""

    work: Callable[[], object]


class Worker(Keeper):
    @handles
    async def work(self, message: Work) -> None:
        async def work() -> None:
            await trio.sleep(1)
            message.work()

        self.nursery.start_soon(work)


def fail() -> None:
    raise ZeroDivisionError("planted")


@virtual
async def test_a_task_that_fails_is_the_actors_crash() -> None:
    log: list[object] = []
    async with open_system() as system:
        worker = await system.spawn(Worker, log)
        await worker.tell(Work(fail))
        await trio.sleep(2)
        assert isinstance(log[0], ZeroDivisionError)  # bare
        assert system.statistics().restarts == 1
        assert await worker.ask(Echo(1)) == 1


@virtual
async def test_the_tasks_of_an_actor_end_with_it() -> None:
    done: list[None] = []
    async with open_system() as system:
        worker = await system.spawn(Worker)
        for end in (Crash(KeyError("planted")), Quit()):
            await worker.tell(Work(lambda: done.append(None)))
            await worker.tell(end)
            await trio.sleep(5)
        await worker.stopped()
    assert done == []


@virtual
async def test_the_tasks_of_an_actor_still_run_in_its_stopping() -> None:
    log: list[object] = []

    class Flushing(Keeper):
        async def started(self) -> None:
            self.send, receive = trio.open_memory_channel[object](10)
            self.flushed = trio.Event()
            self.nursery.start_soon(self.flush, receive)

        async def flush(self, receive: trio.MemoryReceiveChannel[object]) -> None:
            async for item in receive:
                self.log.append(item)
            self.flushed.set()

        async def stopping(self, reason: StopReason | BaseException) -> None:
            self.send.send_nowait("flushed")
            self.send.close()
            await self.flushed.wait()

    async with open_system() as system:
        await system.spawn(Flushing, log)
    assert log == ["flushed"]


@virtual
async def test_children_end_before_their_parent_stops() -> None:
    log: list[object] = []

    class Parent(Keeper):
        async def started(self) -> None:
            await self.spawn(Keeper, self.log, name="child")

        async def stopping(self, reason: StopReason | BaseException) -> None:
            self.log.append("parent stops")

    async with open_system() as system:
        parent = await system.spawn(Parent, log, name="parent")
        await parent.tell(Crash(KeyError("planted")))
        await parent.ask(Count())
        assert log == [StopReason.SHUTDOWN, "parent stops"]
        assert system.find("/parent/child") is not None  # the next incarnation's


@virtual
async def test_a_child_that_crashes_too_often_crashes_its_parent() -> None:
    log: list[object] = []

    class Parent(Keeper):
        async def started(self) -> None:
            self.child = await self.spawn(Keeper, name="child")

        @handles
        async def put(self, message: Put) -> None:
            await self.child.tell(Crash(KeyError("planted")))

    async with open_system(intensity=1) as system:
        parent = await system.spawn(Parent, log, name="parent")
        for _ in range(2):
            await parent.tell(Put(0))
        await wait_all_tasks_blocked()
        (crash,) = log
        assert "supervisor /parent gave up on child 'child'" in str(crash)
        assert system.statistics().restarts == 2  # of the child, and of the parent


@virtual
async def test_children_end_within_the_time_of_their_parent() -> None:
    log: list[object] = []

    class Parent(Stubborn):
        async def started(self) -> None:
            await self.spawn(Stubborn, self.log, 4)

    async with open_system() as system:
        parent = await system.spawn(Parent, log, 4, shutdown=6)
        await parent.stop()
        assert log == ["begins to stop", "has stopped", "begins to stop"]
        assert trio.current_time() == 6


# What it cannot do


@virtual
async def test_facilities_are_refused_to_one_that_does_not_run() -> None:
    kept: list[Keeper] = []

    class Known(Keeper):
        async def started(self) -> None:
            kept.append(self)

    async with open_system() as system:
        known = await system.spawn(Known, name="known")
        await known.stop()
        uses: list[tuple[str, Callable[[Actor], object]]] = [
            ("ref", lambda actor: actor.ref),
            ("path", lambda actor: actor.path),
            ("system", lambda actor: actor.system),
            ("nursery", lambda actor: actor.nursery),
            ("stop()", lambda actor: actor.stop()),
            ("monitor()", lambda actor: actor.monitor(known)),
        ]
        for actor, name in ((kept[0], "/known"), (Keeper(), "Keeper(…)")):
            for call, use in uses:
                with pytest.raises(NotRunning) as raised:
                    use(actor)
                assert (raised.value.call, raised.value.actor) == (call, name)
            with pytest.raises(NotRunning):
                await actor.spawn(Keeper)


@virtual
async def test_a_constructor_has_no_place_in_the_tree_yet() -> None:
    class Early(Keeper):
        def __init__(self) -> None:
            super().__init__()
            self.stop()

    async with open_system() as system:
        with pytest.raises(StartFailed, match=r"use it from started\(\) on") as raised:
            await system.spawn(Early)
        assert isinstance(raised.value.cause, NotRunning)


@virtual
async def test_nobody_has_children_once_it_winds_down() -> None:
    errors: list[NotRunning] = []

    class Late(Keeper):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            with pytest.raises(NotRunning) as raised:
                await self.spawn(Keeper)
            errors.append(raised.value)

    async with open_system() as system:
        await system.spawn(Late)
    assert [error.call for error in errors] == ["spawn()"]


@virtual
async def test_supervised_actors_live_like_all_others() -> None:
    log: list[object] = []

    class Pair(Supervisor):
        def children(self) -> tuple[ChildSpec, ...]:
            return ChildSpec("one", Keeper, log), ChildSpec("two", Keeper, log)

    async with open_system() as system:
        await system.spawn(Pair, name="pair")
        refs: list[ActorRef | None] = [system.find("/pair/one"), system.find("/pair/two")]
        assert None not in refs
    assert log == [StopReason.SHUTDOWN] * 2


@virtual
async def test_an_actor_without_handlers_lives_too() -> None:
    async with open_system() as system:
        silent = await system.spawn(Actor)
        await silent.tell(Put(1))
        await wait_all_tasks_blocked()
        assert system.statistics().dead == 1
