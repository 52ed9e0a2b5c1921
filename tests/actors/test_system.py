import signal
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.actors import (
    Actor,
    ActorRef,
    ActorSystem,
    ChildSpec,
    StopReason,
    Supervisor,
    current_system,
    handles,
    open_system,
)
from aip_trio.errors import (
    ActorStopped,
    InvalidSpec,
    NoSystem,
    RestartIntensityExceeded,
    SystemClosed,
)
from tests.actors.support import Count, Crash, Echo, Hold, Keeper, Put, busy, living, virtual


class Named(Keeper):
    """Writes down when it starts, stops and has stopped, under its name."""

    def __init__(self, log: list[object], seconds: float = 0) -> None:
        super().__init__(log)
        self.seconds = seconds

    async def started(self) -> None:
        self.log.append(f"start {self.ref.name}")

    async def stopping(self, reason: StopReason | BaseException) -> None:
        self.log.append(f"stop {self.ref.name}")
        await trio.sleep(self.seconds)
        self.log.append(f"end {self.ref.name}")


class Family(Named):
    """The same, with two children."""

    async def started(self) -> None:
        await super().started()
        for name in ("older", "younger"):
            await self.spawn(Named, self.log, self.seconds, name=f"{self.ref.name}-{name}")


FAMILIES = [
    step
    for family in ("b", "a")
    for actor in (f"{family}-younger", f"{family}-older", family)
    for step in (f"stop {actor}", f"end {actor}")
]


async def families(system: ActorSystem, log: list[object], seconds: float = 0) -> None:
    """Two of them: a, and then b."""
    for name in ("a", "b"):
        await system.spawn(Family, log, seconds, name=name)
    log.clear()


# Leaving


@virtual
async def test_leaving_stops_the_tree_in_reverse_order_of_start() -> None:
    log: list[object] = []
    async with open_system() as system:
        await families(system, log, 1)
    assert log == FAMILIES
    assert trio.current_time() == 6


@virtual
async def test_leaving_waits_for_the_message_in_hand() -> None:
    log: list[object] = []

    class Slow(Keeper):
        @handles
        async def put(self, message: Put) -> None:
            await trio.sleep(3)
            self.log.append(message.item)

    async with open_system() as system:
        slow = await system.spawn(Slow, log)
        await slow.tell(Put("done"))
        await slow.tell(Put("not begun"))
        await wait_all_tasks_blocked()
    assert log == ["done", StopReason.SHUTDOWN]
    assert system.statistics().dead == 1


@virtual
async def test_nothing_is_left_of_an_empty_system() -> None:
    for _ in range(20):  # which task runs first is chance
        tasks = living()
        async with open_system():
            pass
        assert living() == tasks


@virtual
async def test_systems_nest() -> None:
    async with open_system() as outer:
        async with open_system() as inner:
            assert current_system() is inner
            keeper = await outer.spawn(Keeper)
            assert await keeper.ask(Echo(1)) == 1
        assert current_system() is outer


@virtual
async def test_the_body_may_stop_its_actors_itself() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        await keeper.stop()
        assert system.tree().children == ()


# Failure


class Failing(Keeper):
    """Its end fails too."""

    async def stopping(self, reason: StopReason | BaseException) -> None:
        raise KeyError("in stopping")


@virtual
async def test_a_failure_of_the_root_cancels_the_body_and_is_raised_bare() -> None:
    crash = ZeroDivisionError("planted")
    log: list[object] = []
    with pytest.raises(RestartIntensityExceeded) as raised:
        async with open_system(intensity=1, period=10) as system:
            await system.spawn(Named, log, name="other")
            keeper = await system.spawn(Keeper, name="keeper")
            for _ in range(2):
                await keeper.tell(Crash(crash))
            try:
                await trio.sleep_forever()
            finally:
                log.append("body")
    error = raised.value
    assert (error.supervisor, error.child, error.intensity, error.period) == ("/", "keeper", 1, 10)
    assert error.causes == (crash, crash)
    assert error.__cause__ is crash
    assert sorted(map(str, log)) == ["body", "end other", "start other", "stop other"]


@virtual
async def test_it_comes_in_a_group_with_an_error_of_the_body() -> None:
    body_error = ValueError("in the body")
    with pytest.raises(ExceptionGroup) as raised:
        async with open_system(intensity=0) as system:
            keeper = await system.spawn(Keeper)
            await keeper.tell(Crash(ZeroDivisionError("planted")))
            try:
                await trio.sleep_forever()
            finally:
                raise body_error
    first, second = raised.value.exceptions
    assert isinstance(first, RestartIntensityExceeded)
    assert second is body_error


@virtual
async def test_an_error_of_the_body_alone_is_raised_bare_after_the_tree_has_ended() -> None:
    log: list[object] = []
    error = ValueError("in the body")
    with pytest.raises(ValueError, match="in the body") as raised:
        async with open_system() as system:
            await families(system, log, 1)
            raise error
    assert raised.value is error
    assert log == FAMILIES


@virtual
async def test_a_group_that_the_body_raises_stays_as_it_is() -> None:
    group = ExceptionGroup("of the body's own", [ValueError(), KeyError()])
    with pytest.raises(ExceptionGroup) as raised:
        async with open_system() as system:
            await system.spawn(Keeper)
            raise group
    assert raised.value is group


@virtual
async def test_a_crash_in_the_middle_of_leaving_is_no_failure() -> None:
    async with open_system(intensity=0) as system:
        await system.spawn(Failing)
    assert system.statistics().crashes == 1


@virtual
async def test_the_actors_crashes_stay_within_their_windows() -> None:
    """Each child of the root has a window of its own."""
    async with open_system(intensity=1) as system:
        for ref in [await system.spawn(Keeper) for _ in range(5)]:
            await ref.tell(Crash(KeyError("planted")))
            await ref.ask(Count())
        assert system.statistics().restarts == 5


@virtual
async def test_a_body_that_catches_its_cancellation_still_gets_the_failure() -> None:
    with pytest.raises(RestartIntensityExceeded):
        async with open_system(intensity=0) as system:
            keeper = await system.spawn(Keeper)
            await keeper.tell(Crash(KeyError("planted")))
            with trio.CancelScope(shield=True):
                await trio.sleep(1)


# KeyboardInterrupt


@virtual
async def test_a_keyboard_interrupt_in_an_actor_ends_everything_and_is_raised_bare() -> None:
    log: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        async with open_system() as system:
            await families(system, log)
            keeper = await system.spawn(Keeper, restart="permanent")
            await keeper.tell(Crash(KeyboardInterrupt()))
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await keeper.stopped()
                assert system.statistics().restarts == 0
    assert log == FAMILIES
    assert trio.current_time() == 0


@virtual
async def test_a_keyboard_interrupt_in_a_task_of_an_actor_does_so_too() -> None:
    class Background(Keeper):
        async def started(self) -> None:
            self.nursery.start_soon(self.fail)

        async def fail(self) -> None:
            await trio.sleep(1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async with open_system() as system:
            await system.spawn(Background)
            await trio.sleep_forever()


@virtual
async def test_a_keyboard_interrupt_in_the_body_stops_the_tree_in_order() -> None:
    log: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        async with open_system() as system:
            await families(system, log, 1)
            raise KeyboardInterrupt
    assert log == FAMILIES


def test_a_second_interrupt_while_the_tree_ends_hurries_it() -> None:
    log: list[object] = []
    times: list[float] = []

    async def interrupt() -> None:
        await trio.sleep(2)
        signal.raise_signal(signal.SIGINT)  # reaches the main task, which waits in open_system()

    async def main() -> None:
        trio.lowlevel.spawn_system_task(interrupt)
        try:
            async with open_system(cancel_grace=3) as system:
                await system.spawn(Named, log, 1, name="first")
                await system.spawn(Named, log, 1000, name="last", shutdown="infinity")
        finally:
            times.append(trio.current_time())

    with pytest.raises(KeyboardInterrupt):
        trio.run(main, clock=MockClock(autojump_threshold=0))
    assert log == ["start first", "start last", "stop last", "stop first"]
    assert times == [5]


# Cancelled from outside


async def cancelled_after(
    seconds: float, body: Callable[[ActorSystem], Awaitable[object]], *, cancel_grace: float = 5.0
) -> ActorSystem:
    """Run the body in a system that is cancelled from outside after so many seconds."""
    systems: list[ActorSystem] = []
    with trio.move_on_after(seconds) as scope:
        async with open_system(cancel_grace=cancel_grace) as system:
            systems.append(system)
            await body(system)
            await trio.sleep_forever()
    assert scope.cancelled_caught
    return systems[0]


@virtual
async def test_cancelled_from_outside_it_stops_in_reverse_order() -> None:
    log: list[object] = []
    await cancelled_after(10, lambda system: families(system, log, 0.5))
    assert log == FAMILIES
    assert trio.current_time() == 13


@virtual
async def test_cancelled_from_outside_messages_in_hand_are_cancelled_at_once() -> None:
    log: list[object] = []

    class Cut(Keeper):
        @handles
        async def hold(self, message: Hold) -> str:
            try:
                return await super().hold(message)
            finally:
                self.log.append((self.ref.name, trio.current_time()))

        async def stopping(self, reason: StopReason | BaseException) -> None:
            self.log.append((self.ref.name, reason, trio.current_time()))
            await trio.sleep(1)

    async def body(system: ActorSystem) -> None:
        for name in ("a", "b"):
            cut = await system.spawn(Cut, log, name=name)
            await cut.tell(Hold(trio.Event()))

    system = await cancelled_after(10, body)
    assert {("a", 10), ("b", 10)} <= set(log)
    ends = [("b", StopReason.SHUTDOWN, 10), ("a", StopReason.SHUTDOWN, 11)]
    assert [step for step in log if step in ends] == ends
    assert system.statistics().dead == 2


@virtual
async def test_cancel_grace_is_one_deadline_for_the_whole_tree() -> None:
    log: list[object] = []

    async def body(system: ActorSystem) -> None:
        for name in ("first", "second", "third"):
            await system.spawn(Named, log, 2, name=name, shutdown=100)
        log.clear()

    await cancelled_after(10, body, cancel_grace=3)
    # the third takes 2 s, the second is cut off after one, and the first finds none left
    assert log == ["stop third", "end third", "stop second", "stop first"]
    assert trio.current_time() == 13


@virtual
async def test_no_grace_is_no_grace() -> None:
    log: list[object] = []
    await cancelled_after(10, lambda system: families(system, log, 1), cancel_grace=0)
    assert [step for step in log if str(step).startswith("end")] == []
    assert trio.current_time() == 10


@virtual
async def test_cancelled_from_outside_no_more_messages_are_handled() -> None:
    log: list[object] = []

    async def body(system: ActorSystem) -> None:
        keeper = await system.spawn(Keeper, log)
        for message in (Hold(trio.Event()), Put(1), Put(2)):
            await keeper.tell(message)

    system = await cancelled_after(1, body)
    assert log == [StopReason.SHUTDOWN]
    assert system.statistics().dead == 3


@virtual
async def test_cancelled_from_outside_a_start_under_way_is_cancelled() -> None:
    class Slow(Keeper):
        async def started(self) -> None:
            await trio.sleep(1000)

    async def body(system: ActorSystem) -> None:
        await system.spawn(Slow)

    await cancelled_after(1, body)
    assert trio.current_time() == 1


@virtual
async def test_cancelled_from_outside_a_crash_is_not_restarted() -> None:
    log: list[object] = []

    class Defiant(Named):
        @handles
        async def hold(self, message: Hold) -> str:
            try:
                return await super().hold(message)
            finally:
                raise KeyError("planted")

    async def body(system: ActorSystem) -> None:
        await system.spawn(Supervisor, ChildSpec("defiant", Defiant, log), name="boss")
        defiant = system.find("/boss/defiant")
        assert defiant is not None
        await defiant.tell(Hold(trio.Event()))

    system = await cancelled_after(1, body)
    assert log == ["start defiant", "stop defiant", "end defiant"]
    assert system.statistics().crashes == 1


@virtual
async def test_cancelled_while_it_is_left_it_hurries() -> None:
    log: list[object] = []
    with trio.move_on_after(10) as scope:
        async with open_system(cancel_grace=3) as system:
            await system.spawn(Named, log, 1, name="first")
            await system.spawn(Named, log, 1000, name="last", shutdown="infinity")
    assert scope.cancelled_caught
    assert log == ["start first", "start last", "stop last", "stop first"]
    assert trio.current_time() == 13


@virtual
async def test_an_error_of_the_body_is_not_lost_in_a_cancellation() -> None:
    error = ValueError("in the body")
    with pytest.raises(ExceptionGroup) as raised:
        with trio.move_on_after(1):
            async with open_system() as system:
                await system.spawn(Keeper)
                try:
                    await trio.sleep_forever()
                finally:
                    raise error
    assert raised.value.exceptions == (error,)


@virtual
async def test_a_cancelled_opening_opens_nothing() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        async with open_system():
            raise AssertionError
    assert scope.cancelled_caught


# Use at the wrong time


@virtual
async def test_a_closed_system_takes_no_actors() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
    with pytest.raises(SystemClosed) as raised:
        await system.spawn(Keeper)
    assert raised.value.call == "spawn()"
    for send in (keeper.tell, keeper.ask):
        with pytest.raises(ActorStopped):
            await send(Echo(1))
    await keeper.stop()
    await keeper.stopped()


@virtual
async def test_a_closing_system_takes_no_actors() -> None:
    errors: list[SystemClosed] = []

    class Late(Keeper):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            with pytest.raises(SystemClosed) as raised:
                await self.system.spawn(Keeper)
            errors.append(raised.value)

    async with open_system() as system:
        await system.spawn(Late)
    assert len(errors) == 1


@virtual
async def test_current_system_is_that_of_the_task() -> None:
    seen: list[ActorSystem] = []

    class Looking(Keeper):
        async def started(self) -> None:
            seen.append(current_system())
            self.nursery.start_soon(self.look)

        async def look(self) -> None:
            seen.append(current_system())

    async def look() -> None:
        seen.append(current_system())

    with pytest.raises(NoSystem):
        current_system()
    async with open_system() as system, trio.open_nursery() as nursery:
        nursery.start_soon(look)
        await system.spawn(Looking)
        await wait_all_tasks_blocked()
        assert current_system() is system
        assert seen == [system] * 3
    with pytest.raises(NoSystem):
        current_system()


@virtual
async def test_a_task_outside_of_the_system_may_use_its_refs() -> None:
    refs: list[ActorRef] = []
    answers: list[object] = []
    ready, done = trio.Event(), trio.Event()

    async def outside() -> None:
        await ready.wait()
        answers.append(await refs[0].ask(Echo("outside")))
        done.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(outside)
        await wait_all_tasks_blocked()
        async with open_system() as system:
            refs.append(await system.spawn(Keeper))
            ready.set()
            await done.wait()
    assert answers == ["outside"]


@pytest.mark.parametrize(
    ("options", "field"),
    [({"intensity": -1}, "intensity"), ({"period": 0}, "period"), ({"cancel_grace": -1}, "cancel_grace")],
)
@virtual
async def test_wrong_options_are_refused(options: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidSpec) as raised:
        async with open_system(**options):  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            raise AssertionError
    assert raised.value.field == field


@virtual
async def test_a_system_with_very_many_actors_ends() -> None:
    class Tiny(Actor):
        pass

    async with open_system() as system:
        for number in range(2000):
            await system.spawn(Tiny, name=str(number))
        assert len(system.tree().children) == 2000
        assert await (await system.spawn(Keeper)).ask(Count()) == 0


@virtual
async def test_an_actor_in_a_handler_does_not_hold_up_others() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        first, second = await system.spawn(Keeper), await system.spawn(Keeper)
        gate = await busy(first, nursery)
        assert await second.ask(Echo(1)) == 1
        gate.set()
