import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import DeadLetterReason, StopReason, handles, open_system
from aip_trio.errors import ActorCrashed, ActorStopped, MailboxFull, UnhandledMessage
from tests.actors.support import (
    Count,
    CrashAsked,
    Echo,
    Hold,
    Keeper,
    Put,
    UnknownAsked,
    busy,
    virtual,
    watching,
)


@virtual
async def test_the_answer_is_what_the_handler_returns() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        item = object()
        assert await keeper.ask(Echo(item)) is item
        assert await keeper.ask(Echo(None)) is None


@virtual
async def test_answers_reach_their_own_askers() -> None:
    answers: dict[int, object] = {}

    async def ask(number: int) -> None:
        answers[number] = await keeper.ask(Echo(number))

    async with open_system() as system:
        keeper = await system.spawn(Keeper, mailbox=3)
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(ask, number)
    assert answers == {number: number for number in range(20)}


@virtual
async def test_a_deadline_ends_the_waiting() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        gate = await busy(keeper, nursery)
        with pytest.raises(trio.TooSlowError):
            with trio.fail_after(3):
                await keeper.ask(Echo("late"))
        assert trio.current_time() == 3
        gate.set()
        assert await keeper.ask(Echo("in time")) == "in time"


@virtual
async def test_a_withdrawn_request_is_skipped() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log)
        gate = await busy(keeper, nursery)
        with watching(system) as watch:
            with trio.move_on_after(3):
                await keeper.ask(Echo("withdrawn"))
            keeper.tell_nowait(Put("next"))
            gate.set()
            await wait_all_tasks_blocked()
            assert log == ["next"]
            assert watch.dead() == []  # nobody is left who would miss it
        assert system.statistics().handled == 2


@virtual
async def test_a_request_that_waits_for_room_is_withdrawn_too() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=1)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put(1))
        with trio.move_on_after(3):
            await keeper.ask(Echo("withdrawn"))
        assert system.tree().children[0].mailbox == 1
        gate.set()
        await keeper.tell(Put(2))
        await keeper.ask(Count())
        assert log == [1, 2]


@virtual
async def test_a_handler_whose_asker_has_gone_finishes_all_the_same() -> None:
    log: list[object] = []

    class Slow(Keeper):
        @handles
        async def echo(self, message: Echo) -> object:
            await trio.sleep(10)
            return await super().echo(message)

    async with open_system() as system:
        slow = await system.spawn(Slow, log)
        with trio.move_on_after(1):
            await slow.ask(Echo("done"))
        assert await slow.ask(Count()) == 1
        assert log == ["done"]


@virtual
async def test_a_crash_reaches_the_asker_at_once_with_its_cause() -> None:
    crash = ZeroDivisionError("planted")

    class SlowToStop(Keeper):
        async def stopping(self, reason: StopReason | BaseException) -> None:
            await trio.sleep(4)

    async with open_system() as system:
        keeper = await system.spawn(SlowToStop, name="keeper")
        with watching(system) as watch:
            with pytest.raises(ActorCrashed) as raised:
                await keeper.ask(CrashAsked(crash))
            assert trio.current_time() == 0
            assert watch.dead() == [(CrashAsked(crash), DeadLetterReason.CRASHED)]
        assert raised.value.__cause__ is crash
        assert (raised.value.actor, raised.value.message) == ("/keeper", CrashAsked(crash))
        assert str(raised.value).endswith("(ZeroDivisionError: planted)")


@virtual
async def test_the_crash_of_a_task_of_the_actor_fails_the_request_in_hand_with_its_cause() -> None:
    crash = ZeroDivisionError("planted")

    class Background(Keeper):
        async def started(self) -> None:
            self.nursery.start_soon(self.fail)

        async def fail(self) -> None:
            await trio.sleep(1)
            raise crash

        async def stopping(self, reason: StopReason | BaseException) -> None:
            await trio.sleep(4)

    async with open_system() as system:
        keeper = await system.spawn(Background, restart="temporary")
        with pytest.raises(ActorCrashed) as raised:
            await keeper.ask(Hold(trio.Event()))
        assert trio.current_time() == 1
        assert raised.value.__cause__ is crash


@virtual
async def test_requests_that_wait_are_answered_after_a_restart() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        gate = await busy(keeper, nursery)
        answers: list[object] = []

        async def crash() -> None:
            with pytest.raises(ActorCrashed):
                await keeper.ask(CrashAsked(KeyError("planted")))
            answers.append("crashed")

        async def ask() -> None:
            answers.append(await keeper.ask(Echo("answered")))

        nursery.start_soon(crash)
        await wait_all_tasks_blocked()
        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        assert answers == []
        gate.set()
        await wait_all_tasks_blocked()
        assert sorted(map(str, answers)) == ["answered", "crashed"]


@virtual
async def test_requests_that_wait_fail_when_the_actor_stops() -> None:
    errors: list[object] = []

    async def ask() -> None:
        try:
            await keeper.ask(Echo("waits"))
        except ActorStopped as error:
            errors.append(error.message)

    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, mailbox=1)
        gate = await busy(keeper, nursery)
        nursery.start_soon(ask)  # in the mailbox
        nursery.start_soon(ask)  # waits for room
        await wait_all_tasks_blocked()
        nursery.start_soon(keeper.stop)
        await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert errors == [Echo("waits"), Echo("waits")]


@virtual
async def test_the_request_in_hand_fails_when_its_handler_is_cancelled() -> None:
    gate = trio.Event()

    async def stop() -> None:
        await trio.sleep(1)
        await keeper.stop()

    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, name="keeper", shutdown=2)
        nursery.start_soon(stop)
        with watching(system) as watch:
            with pytest.raises(ActorStopped) as raised:
                await keeper.ask(Hold(gate))
            assert trio.current_time() == 3
            assert raised.value.message == Hold(gate)
            assert watch.dead() == [(Hold(gate), DeadLetterReason.CANCELLED)]


@virtual
async def test_a_request_without_handler_fails_and_the_actor_goes_on() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        with watching(system) as watch:
            with pytest.raises(UnhandledMessage) as raised:
                await keeper.ask(UnknownAsked())
            assert watch.dead() == [(UnknownAsked(), DeadLetterReason.UNHANDLED)]
        assert raised.value.actor == "/keeper"
        assert raised.value.message == UnknownAsked()
        assert raised.value.handled == (
            "Put",
            "Echo",
            "Count",
            "Crash",
            "CrashAsked",
            "Hold",
            "Owe",
            "Quit",
        )
        assert await keeper.ask(Count()) == 0
        assert system.statistics().handled == 1  # the other was not


@virtual
async def test_each_asker_gets_an_exception_of_its_own() -> None:
    errors: list[BaseException] = []

    async def ask() -> None:
        try:
            await keeper.ask(Hold(gate))
        except ActorStopped as error:
            errors.append(error)

    async with open_system() as system, trio.open_nursery() as nursery:
        gate = trio.Event()
        keeper = await system.spawn(Keeper, shutdown="brutal")
        for _ in range(3):
            nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        await keeper.stop()
    assert len({id(error) for error in errors}) == 3
    assert all(error.__traceback__ is not None for error in errors)


@virtual
async def test_an_answer_that_comes_before_the_asker_waits_for_it_is_kept() -> None:
    log: list[object] = []
    answers: list[object] = []

    async def ask() -> None:
        answers.append(await keeper.ask(Echo("early")))

    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=1)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put("fills it"))
        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        # In one step the actor lets the asker in, and answers, before the asker's task runs.
        gate.set()
        await wait_all_tasks_blocked()
        assert log == ["fills it", "early"]
        assert answers == ["early"]


@virtual
async def test_an_early_failure_is_kept_too() -> None:
    crash = ZeroDivisionError("planted")
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, mailbox=1)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put("fills it"))

        async def ask() -> None:
            with pytest.raises(ActorCrashed) as raised:
                await keeper.ask(CrashAsked(crash))
            assert raised.value.__cause__ is crash
            gate.set()

        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        gate.set()


@virtual
async def test_a_request_can_be_told_and_its_answer_goes_nowhere() -> None:
    log: list[object] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log)
        await keeper.tell(Echo(1))
        assert await keeper.ask(Count()) == 1


@virtual
async def test_asking_a_full_mailbox_that_rejects_fails_at_once() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, mailbox=1, overflow="reject")
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put(1))
        with pytest.raises(MailboxFull):
            await keeper.ask(Echo(2))
        gate.set()
