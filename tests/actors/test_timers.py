import math
from collections import deque

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    Actor,
    ActorRef,
    ActorSystem,
    Backoff,
    ChildSpec,
    Envelope,
    StopReason,
    Supervisor,
    Ticker,
    Timer,
    handles,
    open_system,
)
from aip_trio.errors import InvalidMessage, InvalidSpec, NotRunning
from tests.actors.support import Count, Crash, Echo, Hold, Keeper, Put, busy, virtual


@attrs.frozen
class After:
    delay: float
    item: object


@attrs.frozen
class Every:
    interval: float
    item: object


@attrs.frozen
class CancelAll:
    pass


class Clock(Keeper):
    """Writes down what comes, and when."""

    timers: list[Timer | Ticker]

    async def started(self) -> None:
        self.timers = []

    @handles
    async def put(self, message: Put) -> None:
        self.log.append((message.item, trio.current_time()))

    @handles
    async def set_after(self, message: After) -> None:
        self.timers.append(self.after(message.delay, Put(message.item)))

    @handles
    async def set_every(self, message: Every) -> None:
        self.timers.append(self.every(message.interval, Put(message.item)))

    @handles
    async def cancel_all(self, message: CancelAll) -> None:
        for timer in self.timers:
            timer.cancel()
            timer.cancel()


@virtual
async def test_after_tells_once_when_its_time_has_come() -> None:
    log: list[object] = []
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        await clock.tell(After(3, "three"))
        await trio.sleep(2.9)
        assert log == []
        await trio.sleep(10)
        assert log == [("three", 3)]


@virtual
async def test_timers_come_in_the_order_of_their_times() -> None:
    log: list[object] = []
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        for delay in (5, 1, 3, 2, 4):
            await clock.tell(After(delay, delay))
        await trio.sleep(10)
        assert log == [(delay, delay) for delay in (1, 2, 3, 4, 5)]


@virtual
async def test_timers_of_one_time_come_in_the_order_in_which_they_were_set() -> None:
    log: list[object] = []
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        for number in range(20):
            clock.tell_nowait(After(1, number))
        await trio.sleep(10)
        assert log == [(number, 1) for number in range(20)]


@virtual
async def test_no_delay_comes_after_what_waits() -> None:
    log: list[object] = []
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        for message in (After(0, "timer"), Put("told")):
            clock.tell_nowait(message)
        await wait_all_tasks_blocked()
        await trio.sleep(0.1)
        assert log == [("told", 0), ("timer", 0)]


@virtual
async def test_every_tells_again_and_again_and_does_not_drift() -> None:
    log: list[object] = []
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        await trio.sleep(1)
        await clock.tell(Every(2, "tick"))
        await trio.sleep(7)
        assert log == [("tick", 3), ("tick", 5), ("tick", 7)]


@virtual
async def test_ticks_that_find_the_last_one_waiting_are_skipped_and_counted() -> None:
    log: list[object] = []
    tickers: list[Ticker] = []

    class Ticking(Clock):
        async def started(self) -> None:
            tickers.append(self.every(1, Put("tick")))

    async with open_system() as system, trio.open_nursery() as nursery:
        ticking = await system.spawn(Ticking, log)
        gate = await busy(ticking, nursery)
        await trio.sleep(4.5)
        assert system.tree().children[0].mailbox == 1
        assert tickers[0].skipped == 3
        gate.set()
        await trio.sleep(2)
        assert log == [("tick", 4.5), ("tick", 5), ("tick", 6)]
        assert tickers[0].skipped == 3


@virtual
async def test_two_tickers_of_one_message_do_not_skip_for_each_other() -> None:
    log: list[object] = []
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        await clock.tell(Every(1, "same"))
        await clock.tell(Every(1, "same"))
        await trio.sleep(1.5)
        assert log == [("same", 1), ("same", 1)]


@virtual
async def test_a_timer_does_not_ask_a_full_mailbox_for_room() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        clock = await system.spawn(Clock, log, mailbox=1)
        await clock.tell(After(1, "timer"))
        gate = await busy(clock, nursery)
        clock.tell_nowait(Put("fills it"))
        await trio.sleep(2)
        assert system.tree().children[0].mailbox == 2
        gate.set()
        await wait_all_tasks_blocked()
        assert log == [("fills it", 2), ("timer", 2)]


@virtual
async def test_timers_end_with_their_incarnation() -> None:
    log: list[object] = []
    crash = KeyError("planted")
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        await clock.tell(After(1, "after"))
        await clock.tell(Every(1, "every"))
        await clock.tell(Crash(crash))
        await trio.sleep(10)
        assert log == [crash]
        assert system.statistics().restarts == 1


@virtual
async def test_timers_of_a_stopped_actor_do_not_come() -> None:
    log: list[object] = []
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        await clock.tell(Every(1, "every"))
        await trio.sleep(1.5)
        await clock.stop()
        await trio.sleep(10)
        assert log == [("every", 1), StopReason.SHUTDOWN]
        assert system.statistics().dead == 0


@virtual
async def test_a_cancelled_timer_does_not_come() -> None:
    log: list[object] = []
    async with open_system() as system:
        clock = await system.spawn(Clock, log)
        await clock.tell(After(3, "after"))
        await clock.tell(Every(2, "every"))
        await trio.sleep(2.5)
        await clock.tell(CancelAll())
        await trio.sleep(10)
        assert log == [("every", 2)]


@virtual
async def test_a_timer_says_whether_it_is_pending() -> None:
    timers: list[Timer] = []

    class Pending(Clock):
        async def started(self) -> None:
            timers.extend(self.after(delay, Put(delay)) for delay in (1, 5, 5))

    async with open_system() as system:
        await system.spawn(Pending)
        await trio.sleep(2)
        timers[1].cancel()
        assert [timer.pending for timer in timers] == [False, False, True]
        timers[0].cancel()  # harmless


@virtual
async def test_very_many_timers_are_set_and_cancelled() -> None:
    log: list[object] = []
    timers: list[Timer] = []

    class Many(Clock):
        async def started(self) -> None:
            timers.extend(self.after(1 + number / 1000, Put(number)) for number in range(1000))

    async with open_system() as system:
        many = await system.spawn(Many, log, mailbox=2000)
        for number, timer in enumerate(timers):
            if number % 10:
                timer.cancel()
        assert len(system.timers._heap) < 300  # the cancelled ones do not pile up
        await trio.sleep(5)
        assert log == [(number, 1 + number / 1000) for number in range(0, 1000, 10)]
        assert await many.ask(Count()) == 100


@virtual
async def test_the_end_of_a_backoff_is_not_waited_for_where_nothing_waits_for_it() -> None:
    backoff = Backoff(initial=1000, maximum=1000, jitter=False)
    specs = [ChildSpec(name, Clock, backoff=backoff) for name in "abc"]
    async with open_system() as system:
        supervisor = await system.spawn(lambda: Supervisor(*specs))
        for child in supervisor.which_children():
            await child.ref.tell(Crash(KeyError("planted")))
        await wait_all_tasks_blocked()
        assert pending(system) == 3
        await supervisor.terminate_child("a")
        assert pending(system) == 2
        await supervisor.delete_child("a")
        await supervisor.terminate_child("b")
        await supervisor.restart_child("b")
        assert pending(system) == 1
        await supervisor.stop()
        assert pending(system) == 0


def pending(system: ActorSystem) -> int:
    return sum(timer.pending for _, _, timer in system.timers._heap)


@virtual
async def test_a_tick_does_not_look_through_what_waits() -> None:
    class Unseen(deque[Envelope]):
        def __contains__(self, item: object) -> bool:
            raise AssertionError("it is looked for")

    log: list[object] = []
    tickers: list[Ticker] = []

    class Ticking(Clock):
        async def started(self) -> None:
            tickers.append(self.every(1, Put("tick")))

    async with open_system() as system, trio.open_nursery() as nursery:
        ticking = await system.spawn(Ticking, log)
        gate = await busy(ticking, nursery)
        ticking._cell.mailbox.queue = Unseen()
        await trio.sleep(3.5)
        gate.set()
        await trio.sleep(1)
        assert log == [("tick", 3.5), ("tick", 4)]
        assert tickers[0].skipped == 2


@virtual
async def test_a_tick_that_was_dropped_does_not_wait() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        clock = await system.spawn(Clock, log, mailbox=1, overflow="drop_oldest")
        await clock.tell(Every(1, "tick"))
        gate = await busy(clock, nursery)
        await trio.sleep(1.5)
        clock.tell_nowait(Put("told"))  # in its place
        await trio.sleep(1)
        gate.set()
        await wait_all_tasks_blocked()
        assert log == [("told", 2.5), ("tick", 2.5)]


@virtual
async def test_a_system_with_timers_pending_ends_at_once() -> None:
    async with open_system() as system:
        clock = await system.spawn(Clock)
        await clock.tell(After(1000, "never"))
        await clock.ask(Echo(0))
    assert trio.current_time() == 0


@pytest.mark.parametrize("interval", [0, -1, math.nan])
@virtual
async def test_an_interval_that_is_none_is_refused(interval: float) -> None:
    caught: list[InvalidSpec] = []

    class Never(Keeper):
        async def started(self) -> None:
            with pytest.raises(InvalidSpec) as raised:
                self.every(interval, Put(0))
            caught.append(raised.value)

    async with open_system() as system:
        await system.spawn(Never)
    assert str(caught[0]) == f"interval={interval}: give seconds, more than 0"


@pytest.mark.parametrize("delay", [-1, math.nan])
@virtual
async def test_a_delay_that_is_none_is_refused(delay: float) -> None:
    caught: list[InvalidSpec] = []

    class Never(Keeper):
        async def started(self) -> None:
            with pytest.raises(InvalidSpec) as raised:
                self.after(delay, Put(0))
            caught.append(raised.value)

    async with open_system() as system:
        await system.spawn(Never)
    assert str(caught[0]) == f"delay={delay}: give seconds, 0 or more"


@virtual
async def test_only_messages_can_be_timed() -> None:
    caught: list[InvalidMessage] = []

    class Never(Keeper):
        async def started(self) -> None:
            for call in (self.after, self.every):
                with pytest.raises(InvalidMessage) as raised:
                    call(1, "text")
                caught.append(raised.value)

    async with open_system() as system:
        await system.spawn(Never)
    assert len(caught) == 2


@virtual
async def test_an_actor_that_has_ended_sets_no_timer() -> None:
    actors: list[Actor] = []

    class Known(Keeper):
        async def started(self) -> None:
            actors.append(self)

    async with open_system() as system:
        known = await system.spawn(Known)
        await known.stop()
        for call in (actors[0].after, actors[0].every):
            with pytest.raises(NotRunning):
                call(1, Put(0))


@virtual
async def test_a_timer_may_be_set_in_started_and_by_a_task_of_the_actor() -> None:
    log: list[object] = []

    class Setting(Clock):
        async def started(self) -> None:
            self.after(1, Put("started"))
            self.nursery.start_soon(self.work)

        async def work(self) -> None:
            await trio.sleep(1)
            self.after(1, Put("task"))

    async with open_system() as system:
        await system.spawn(Setting, log)
        await trio.sleep(3)
        assert log == [("started", 1), ("task", 2)]


@virtual
async def test_a_held_handler_does_not_stop_the_timers_of_others() -> None:
    log: list[object] = []

    async def hold(ref: ActorRef) -> None:
        await ref.ask(Hold(gate))

    async with open_system() as system, trio.open_nursery() as nursery:
        gate = trio.Event()
        nursery.start_soon(hold, await system.spawn(Clock))
        other = await system.spawn(Clock, log)
        await other.tell(After(2, "on time"))
        await trio.sleep(3)
        assert log == [("on time", 2)]
        gate.set()
