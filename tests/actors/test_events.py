import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    ChildSpec,
    Crashed,
    DeadLetter,
    DeadLetterReason,
    Escalated,
    Event,
    Ignore,
    Restarted,
    Started,
    Stopped,
    Supervisor,
    handles,
    open_system,
)
from aip_trio.errors import RestartIntensityExceeded, StartFailed, UnhandledMessage
from tests.actors.support import Count, Crash, Keeper, Put, Quit, Unknown, busy, virtual, watching


@virtual
async def test_a_life_is_told_from_start_to_end() -> None:
    crash = KeyError("planted")
    async with open_system() as system:
        with watching(system) as watch:
            keeper = await system.spawn(Keeper, name="keeper")
            await keeper.tell(Crash(crash))
            await keeper.ask(Count())
            await keeper.stop()
            assert watch.all == [
                Started("/keeper", keeper.uid),
                DeadLetter("/keeper", keeper.uid, Crash(crash), DeadLetterReason.CRASHED, None, crash),
                Crashed("/keeper", keeper.uid, crash),
                Restarted("/keeper", keeper.uid, 1),
                Stopped("/keeper", keeper.uid),
            ]


@virtual
async def test_a_normal_end_is_a_stop() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        with watching(system) as watch:
            await keeper.tell(Quit())
            await keeper.stopped()
            assert watch.all == [Stopped("/keeper", keeper.uid)]


@virtual
async def test_a_start_that_fails_is_a_crash_and_no_start() -> None:
    error = ZeroDivisionError("planted")

    class Stillborn(Keeper):
        async def started(self) -> None:
            raise error

    async with open_system() as system:
        with watching(system) as watch:
            with pytest.raises(StartFailed):
                await system.spawn(Stillborn, name="stillborn")
            assert watch.all == [Crashed("/stillborn", 1, error)]


@virtual
async def test_a_start_that_is_declined_is_neither_start_nor_end() -> None:
    class Reluctant(Keeper):
        async def started(self) -> None:
            raise Ignore

    async with open_system() as system:
        with watching(system) as watch:
            await system.spawn(Reluctant)
            assert watch.all == []


@virtual
async def test_an_actor_stopped_while_it_starts_has_neither_started_nor_stopped() -> None:
    class Slow(Keeper):
        async def started(self) -> None:
            try:
                await trio.sleep(10)
            except trio.Cancelled:  # noqa: ASYNC103 - an ill-behaved one
                return  # noqa: ASYNC104 - it finishes its start all the same

    async with open_system() as system:
        with watching(system) as watch:
            with trio.move_on_after(1):
                await system.spawn(Slow)
            assert watch.all == []


@virtual
async def test_a_supervisor_that_gives_up_tells_before_it_crashes() -> None:
    crash = KeyError("planted")

    class Weak(Supervisor):
        intensity = 0

        def children(self) -> tuple[ChildSpec, ...]:
            return (ChildSpec("keeper", Keeper),)

    async with open_system() as system:
        weak = await system.spawn(Weak, name="weak")
        keeper = system.find("/weak/keeper")
        assert keeper is not None
        with watching(system) as watch:
            await keeper.tell(Crash(crash))
            await wait_all_tasks_blocked()
            kinds = [(type(event).__name__, event.path) for event in watch.all]
        assert kinds == [
            ("DeadLetter", "/weak/keeper"),
            ("Crashed", "/weak/keeper"),
            ("Escalated", "/weak"),
            ("Crashed", "/weak"),
            ("Started", "/weak/keeper"),  # a new child of the new incarnation
            ("Restarted", "/weak"),
        ]
        assert weak == system.find("/weak")


@virtual
async def test_an_escalation_carries_its_error() -> None:
    crash = KeyError("planted")
    async with open_system() as system:
        boss = await system.spawn(Supervisor, ChildSpec("keeper", Keeper), name="boss")
        keeper = system.find("/boss/keeper")
        assert keeper is not None
        with watching(system) as watch:
            for _ in range(4):
                await keeper.tell(Crash(crash))
            await wait_all_tasks_blocked()
            (event,) = [event for event in watch.all if isinstance(event, Escalated)]
        assert (event.path, event.uid) == ("/boss", boss.uid)
        assert isinstance(event.error, RestartIntensityExceeded)
        assert event.error.causes == (crash,) * 4


@virtual
async def test_a_dead_letter_names_its_sender_and_its_error() -> None:
    class Sender(Keeper):
        @handles
        async def put(self, message: Put) -> None:
            await target.tell(Unknown())

    async with open_system() as system:
        target = await system.spawn(Keeper, name="target")
        sender = await system.spawn(Sender, name="sender")
        with watching(system) as watch:
            await sender.tell(Put(0))
            await target.tell(Unknown())
            await wait_all_tasks_blocked()
            letters = [event for event in watch.all if isinstance(event, DeadLetter)]
        assert {letter.sender for letter in letters} == {"/sender", None}
        assert all(isinstance(letter.error, UnhandledMessage) for letter in letters)
        assert all(letter.reason is DeadLetterReason.UNHANDLED for letter in letters)


@virtual
async def test_dead_letters_are_counted_by_reason_watched_or_not() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        keeper.tell_nowait(Unknown())
        keeper.tell_nowait(Crash(KeyError("planted")))
        await keeper.ask(Count())
        keeper.tell_nowait(Quit())
        keeper.tell_nowait(Put(1))
        keeper.tell_nowait(Put(2))
        await keeper.stopped()
        statistics = system.statistics()
        assert statistics.dead_letters == {
            DeadLetterReason.UNHANDLED: 1,
            DeadLetterReason.CRASHED: 1,
            DeadLetterReason.STOPPED: 2,
        }
        assert statistics.dead == 4


@virtual
async def test_statistics_count_since_the_opening() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        gone = await system.spawn(Keeper)
        for ref in (keeper, gone):
            for number in range(5):
                await ref.tell(Put(number))
        await keeper.tell(Crash(KeyError("planted")))
        await keeper.ask(Count())
        await gone.ask(Count())
        await gone.stop()
        statistics = system.statistics()
        assert statistics.actors == 1
        assert statistics.started == 2
        assert statistics.restarts == 1
        assert statistics.crashes == 1
        assert statistics.handled == 12


@virtual
async def test_every_subscriber_gets_every_event() -> None:
    async with open_system() as system:
        with watching(system) as one, watching(system) as two:
            await system.spawn(Keeper, name="keeper")
            assert one.all == two.all == [Started("/keeper", 1)]


@virtual
async def test_a_subscriber_hears_from_its_subscription_on() -> None:
    async with open_system() as system:
        await system.spawn(Keeper)
        with watching(system) as watch:
            assert watch.all == []
        await system.spawn(Keeper)
        assert watch.all == []
        assert not system.events.watched


@virtual
async def test_a_slow_subscriber_loses_the_oldest_and_knows_how_many() -> None:
    async with open_system() as system:
        with system.events.subscribe(capacity=3) as events:
            for number in range(5):
                await system.spawn(Keeper, name=f"k{number}")
            assert events.dropped == 2
            seen = [(await anext(events)).path for _ in range(3)]
            assert seen == ["/k2", "/k3", "/k4"]


@virtual
async def test_events_wait_and_come_and_end_with_the_system() -> None:
    seen: list[Event] = []

    async def read() -> None:
        with system.events.subscribe() as events:
            async for event in events:
                seen.append(event)  # noqa: PERF401 - looked at while it grows

    async with trio.open_nursery() as nursery:
        async with open_system() as system:
            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            await system.spawn(Keeper, name="keeper")
            await wait_all_tasks_blocked()
            assert seen == [Started("/keeper", 1)]
        # the nursery ends because the subscriber does
    assert seen == [Started("/keeper", 1), Stopped("/keeper", 1)]


@virtual
async def test_a_subscription_to_a_closed_system_is_empty() -> None:
    async with open_system() as system:
        pass
    with system.events.subscribe() as events:
        assert [event async for event in events] == []


@virtual
async def test_waiting_for_an_event_can_be_given_up_and_taken_up_again() -> None:
    async with open_system() as system:
        with system.events.subscribe() as events:
            with trio.move_on_after(1) as scope:
                await anext(events)
            assert scope.cancelled_caught
            await system.spawn(Keeper, name="keeper")
            assert await anext(events) == Started("/keeper", 1)


@virtual
async def test_a_cancelled_reader_loses_no_event() -> None:
    async with open_system() as system:
        with system.events.subscribe() as events:
            await system.spawn(Keeper, name="keeper")
            with trio.CancelScope() as scope:
                scope.cancel()
                await anext(events)
            assert scope.cancelled_caught
            assert await anext(events) == Started("/keeper", 1)


@virtual
async def test_a_second_reader_of_one_subscription_is_refused() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        with system.events.subscribe() as events:

            async def read() -> None:
                await anext(events)

            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError):
                await anext(events)
            await system.spawn(Keeper)


@virtual
async def test_a_crash_that_nobody_is_told_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    crash = KeyError("planted")
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        await keeper.tell(Crash(crash))
        await keeper.ask(Count())
    (record,) = caplog.records
    assert record.name == "aip_trio.actors"
    assert record.getMessage() == "/keeper crashed"
    assert record.exc_info is not None
    assert record.exc_info[1] is crash


@virtual
async def test_a_failed_start_is_raised_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Stillborn(Keeper):
        async def started(self) -> None:
            raise ZeroDivisionError("planted")

    async with open_system() as system:
        with pytest.raises(StartFailed):
            await system.spawn(Stillborn)
    assert caplog.records == []


@virtual
async def test_a_quiet_life_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        gate = await busy(keeper, nursery)
        gate.set()
        await keeper.ask(Count())
    assert caplog.records == []


@virtual
async def test_an_unhandled_message_that_was_told_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        await keeper.tell(Unknown())
        await keeper.ask(Count())
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("actor /keeper has no handler for Unknown()")
