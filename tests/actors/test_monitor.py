import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import ActorRef, ChildSpec, Monitor, Supervisor, Terminated, handles, open_system
from tests.actors.support import Count, Crash, Keeper, Put, Quit, busy, virtual, watching


@attrs.frozen
class Observe:
    ref: ActorRef


@attrs.frozen
class Ignore:
    """Cancels all."""


class Guard(Keeper):
    """Writes down what it is told of those that it monitors."""

    monitors: list[Monitor]

    async def started(self) -> None:
        self.monitors = []

    @handles
    async def observe(self, message: Observe) -> None:
        self.monitors.append(self.monitor(message.ref))

    @handles
    async def ignore(self, message: Ignore) -> None:
        for monitor in self.monitors:
            monitor.cancel()
            monitor.cancel()

    @handles
    async def terminated(self, message: Terminated) -> None:
        self.log.append(message)


@virtual
async def test_a_normal_end_is_told_without_an_error() -> None:
    log: list[object] = []
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard, log), await system.spawn(Keeper)
        await guard.tell(Observe(keeper))
        await keeper.tell(Quit())
        await keeper.stopped()
        await guard.ask(Count())
        assert log == [Terminated(keeper)]


@virtual
async def test_a_stop_is_told_without_an_error() -> None:
    log: list[object] = []
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard, log), await system.spawn(Keeper)
        await guard.tell(Observe(keeper))
        await guard.ask(Count())
        await keeper.stop()
        await guard.ask(Count())
        assert log == [Terminated(keeper)]


@virtual
async def test_a_final_crash_is_told_with_its_error() -> None:
    log: list[object] = []
    crash = ZeroDivisionError("planted")
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard, log), await system.spawn(Keeper, restart="temporary")
        await guard.tell(Observe(keeper))
        await keeper.tell(Crash(crash))
        await wait_all_tasks_blocked()
        assert log == [Terminated(keeper, crash)]


@virtual
async def test_a_restart_is_no_end() -> None:
    log: list[object] = []
    crash = ZeroDivisionError("planted")
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard, log), await system.spawn(Keeper)
        await guard.tell(Observe(keeper))
        await keeper.tell(Crash(crash))
        await wait_all_tasks_blocked()
        assert log == []
        await keeper.stop()
        await wait_all_tasks_blocked()
        assert log == [Terminated(keeper)]  # it did not end with that crash


@virtual
async def test_one_that_has_ended_is_told_at_once() -> None:
    log: list[object] = []
    crash = ZeroDivisionError("planted")
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard, log), await system.spawn(Keeper, restart="temporary")
        await keeper.tell(Crash(crash))
        await keeper.stopped()
        await guard.tell(Observe(keeper))
        await wait_all_tasks_blocked()
        assert log == [Terminated(keeper, crash)]


@virtual
async def test_a_cancelled_monitor_tells_nothing() -> None:
    log: list[object] = []
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard, log), await system.spawn(Keeper)
        await guard.tell(Observe(keeper))
        await guard.tell(Ignore())
        await guard.ask(Count())
        await keeper.stop()
        await wait_all_tasks_blocked()
        assert log == []


@virtual
async def test_two_monitors_of_one_actor_tell_twice() -> None:
    log: list[object] = []
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard, log), await system.spawn(Keeper)
        for _ in range(2):
            await guard.tell(Observe(keeper))
        await guard.ask(Count())
        await keeper.stop()
        await wait_all_tasks_blocked()
        assert log == [Terminated(keeper)] * 2


@virtual
async def test_a_monitor_ends_with_the_watching_incarnation() -> None:
    log: list[object] = []
    crash = ZeroDivisionError("planted")
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard, log), await system.spawn(Keeper)
        await guard.tell(Observe(keeper))
        await guard.tell(Crash(crash))
        await guard.ask(Count())
        await keeper.stop()
        await wait_all_tasks_blocked()
        assert log == [crash]


@virtual
async def test_a_monitor_of_an_ended_watcher_makes_no_dead_letter() -> None:
    async with open_system() as system:
        guard, keeper = await system.spawn(Guard), await system.spawn(Keeper)
        await guard.tell(Observe(keeper))
        await guard.ask(Count())
        await guard.stop()
        with watching(system) as watch:
            await keeper.stop()
            assert watch.dead() == []


@virtual
async def test_it_is_told_past_a_full_mailbox() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        guard, keeper = await system.spawn(Guard, log, mailbox=1), await system.spawn(Keeper)
        await guard.tell(Observe(keeper))
        gate = await busy(guard, nursery)
        guard.tell_nowait(Put("fills it"))
        await keeper.stop()
        gate.set()
        await wait_all_tasks_blocked()
        assert log == ["fills it", Terminated(keeper)]


@virtual
async def test_a_child_that_was_terminated_has_ended_and_is_watched_anew_after_its_revival() -> None:
    log: list[object] = []

    class Boss(Supervisor):
        def __init__(self) -> None:
            super().__init__(ChildSpec("keeper", Keeper))

    async with open_system() as system:
        guard, boss = await system.spawn(Guard, log), await system.spawn(Boss)
        (info,) = boss.which_children()
        await guard.tell(Observe(info.ref))
        await guard.ask(Count())
        await boss.terminate_child("keeper")
        await guard.ask(Count())
        assert log == [Terminated(info.ref)]
        assert await boss.restart_child("keeper") == info.ref
        await guard.tell(Observe(info.ref))
        await guard.ask(Count())
        assert len(log) == 1
        await boss.stop()
        await wait_all_tasks_blocked()
        assert log == [Terminated(info.ref)] * 2


@virtual
async def test_an_actor_may_watch_itself_and_hears_nothing() -> None:
    log: list[object] = []
    async with open_system() as system:
        guard = await system.spawn(Guard, log)
        await guard.tell(Observe(guard))
        await guard.ask(Count())
        with watching(system) as watch:
            await guard.stop()
            assert watch.dead() == []


@virtual
async def test_whoever_does_not_handle_it_is_told_by_a_dead_letter() -> None:
    class Careless(Keeper):
        @handles
        async def observe(self, message: Observe) -> None:
            self.monitor(message.ref)

    async with open_system() as system:
        careless, keeper = await system.spawn(Careless), await system.spawn(Keeper)
        await careless.tell(Observe(keeper))
        await careless.ask(Count())
        with watching(system) as watch:
            await keeper.stop()
            await careless.ask(Count())
            assert [message for message, _ in watch.dead()] == [Terminated(keeper)]


@virtual
async def test_stopped_returns_when_an_actor_has_ended_for_good() -> None:
    ends: list[float] = []

    async def wait() -> None:
        await keeper.stopped()
        ends.append(trio.current_time())

    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await keeper.tell(Crash(KeyError("planted")))
        await trio.sleep(5)
        assert ends == []
        await keeper.stop()
        await wait_all_tasks_blocked()
        assert ends == [5, 5]
        await keeper.stopped()  # again, at once


@virtual
async def test_waiting_for_an_end_may_be_given_up() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        with pytest.raises(trio.TooSlowError), trio.fail_after(3):
            await keeper.stopped()
        await keeper.stop()
