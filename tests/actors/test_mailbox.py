import itertools
from typing import Literal

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import DeadLetterReason, Overflow, StopReason, open_system
from aip_trio.errors import ActorStopped, MailboxFull
from tests.actors.support import Count, Crash, Echo, Hold, Keeper, Put, busy, virtual, watching


@virtual
async def test_messages_of_one_sender_are_handled_in_order() -> None:
    log: list[object] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log, mailbox=2)
        for number in range(50):
            await keeper.tell(Put(number))
        await keeper.ask(Count())
        assert log == list(range(50))


@virtual
async def test_tells_nowaits_and_asks_of_one_sender_stay_in_order() -> None:
    log: list[object] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log)
        await keeper.tell(Put(0))
        keeper.tell_nowait(Put(1))
        assert await keeper.ask(Echo(2)) == 2
        keeper.tell_nowait(Put(3))
        await keeper.tell(Put(4))
        await keeper.ask(Echo(5))
        assert log == [0, 1, 2, 3, 4, 5]


@virtual
async def test_a_full_mailbox_holds_its_tellers_back_and_lets_them_in_by_arrival() -> None:
    log: list[object] = []
    told: list[int] = []

    async def tell(number: int) -> None:
        await keeper.tell(Put(number))
        told.append(number)

    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=2)
        gate = await busy(keeper, nursery)
        for number in range(6):
            nursery.start_soon(tell, number)
            await wait_all_tasks_blocked()
        assert told == [0, 1]
        assert system.tree().children[0].mailbox == 6
        gate.set()
        await wait_all_tasks_blocked()
        assert log == list(range(6))
        assert sorted(told) == list(range(6))


@virtual
async def test_a_sender_that_had_to_wait_is_not_overtaken_by_a_later_one() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=1)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put("first"))
        nursery.start_soon(keeper.tell, Put("waits"))
        await wait_all_tasks_blocked()
        gate.set()
        while not log:
            with pytest.raises(MailboxFull):  # the freed place is the waiting one's
                keeper.tell_nowait(Put("pushes in"))
            await trio.lowlevel.checkpoint()
        keeper.tell_nowait(Put("last"))
        await keeper.ask(Count())
        assert log == ["first", "waits", "last"]


@virtual
async def test_tell_nowait_refuses_a_full_mailbox() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, name="keeper", mailbox=1)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put(1))
        with pytest.raises(MailboxFull, match=r"mailbox of /keeper is full \(capacity=1\)") as raised:
            keeper.tell_nowait(Put(2))
        assert (raised.value.actor, raised.value.capacity) == ("/keeper", 1)
        gate.set()


@pytest.mark.parametrize("overflow", [Overflow.REJECT, "reject"])
@virtual
async def test_reject_refuses_every_kind_of_send(overflow: Overflow) -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=1, overflow=overflow)
        gate = await busy(keeper, nursery)
        await keeper.tell(Put(1))
        with pytest.raises(MailboxFull):
            await keeper.tell(Put(2))
        with pytest.raises(MailboxFull):
            keeper.tell_nowait(Put(3))
        with pytest.raises(MailboxFull):
            await keeper.ask(Echo(4))
        gate.set()
        await wait_all_tasks_blocked()
        assert log == [1]
        assert system.statistics().dead == 0  # who was refused knows


@virtual
async def test_drop_oldest_buries_what_waited_longest() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=2, overflow="drop_oldest")
        gate = await busy(keeper, nursery)
        with watching(system) as watch:
            for number in range(4):
                await keeper.tell(Put(number))
            assert watch.dead() == [(Put(number), DeadLetterReason.OVERFLOW) for number in (0, 1)]
            keeper.tell_nowait(Put(4))
            assert watch.dead() == [(Put(2), DeadLetterReason.OVERFLOW)]
        gate.set()
        await wait_all_tasks_blocked()
        assert log == [3, 4]


@virtual
async def test_drop_newest_buries_the_new_one() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=2, overflow="drop_newest")
        gate = await busy(keeper, nursery)
        with watching(system) as watch:
            for number in range(3):
                await keeper.tell(Put(number))
            keeper.tell_nowait(Put(3))
            assert watch.dead() == [(Put(number), DeadLetterReason.OVERFLOW) for number in (2, 3)]
        gate.set()
        await wait_all_tasks_blocked()
        assert log == [0, 1]


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
@virtual
async def test_a_dropped_request_fails_its_asker(overflow: Literal["drop_oldest", "drop_newest"]) -> None:
    refusals: list[str] = []

    async def ask(item: str) -> None:
        try:
            await keeper.ask(Echo(item))
        except MailboxFull:
            refusals.append(item)

    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, mailbox=1, overflow=overflow)
        gate = await busy(keeper, nursery)
        nursery.start_soon(ask, "older")
        await wait_all_tasks_blocked()
        nursery.start_soon(ask, "newer")
        await wait_all_tasks_blocked()
        assert refusals == (["older"] if overflow == "drop_oldest" else ["newer"])
        gate.set()


@pytest.mark.parametrize("overflow", list(Overflow))
@virtual
async def test_a_full_mailbox_never_holds_up_a_stop(overflow: Overflow) -> None:
    log: list[object] = []
    refusals: list[object] = []

    async def tell(number: int) -> None:
        try:
            await keeper.tell(Put(number))
        except (ActorStopped, MailboxFull):
            refusals.append(number)

    async with open_system() as system:
        with watching(system) as watch:
            async with trio.open_nursery() as nursery:
                keeper = await system.spawn(Keeper, log, mailbox=2, overflow=overflow)
                gate = await busy(keeper, nursery)
                for number in range(5):
                    nursery.start_soon(tell, number)
                    await wait_all_tasks_blocked()
                nursery.start_soon(keeper.stop)
                await wait_all_tasks_blocked()
                assert log == []
                gate.set()
            assert log == [StopReason.SHUTDOWN]
            assert trio.current_time() == 0
            dead = [message for message, _ in watch.dead()]
    assert len(refusals) + len(dead) == 5
    assert {Put(item) for item in refusals} | set(dead) == {Put(number) for number in range(5)}


@virtual
async def test_tellers_that_wait_for_room_are_told_when_the_actor_stops() -> None:
    errors: list[ActorStopped] = []

    async def tell(number: int) -> None:
        try:
            await keeper.tell(Put(number))
        except ActorStopped as error:
            errors.append(error)

    async with open_system() as system:
        with watching(system) as watch:
            async with trio.open_nursery() as nursery:
                keeper = await system.spawn(Keeper, name="keeper", mailbox=1)
                gate = await busy(keeper, nursery)
                for number in range(3):
                    nursery.start_soon(tell, number)
                    await wait_all_tasks_blocked()
                nursery.start_soon(keeper.stop)
                await wait_all_tasks_blocked()
                gate.set()
            assert {(error.actor, error.message) for error in errors} == {
                ("/keeper", Put(1)),
                ("/keeper", Put(2)),
            }
            assert watch.dead() == [(Put(0), DeadLetterReason.STOPPED)]


@virtual
async def test_tellers_that_wait_for_room_do_not_notice_a_restart() -> None:
    log: list[object] = []
    crash = ZeroDivisionError("planted")

    async with open_system() as system:
        with watching(system) as watch:
            async with trio.open_nursery() as nursery:
                keeper = await system.spawn(Keeper, log, mailbox=1)
                gate = await busy(keeper, nursery)
                keeper.tell_nowait(Crash(crash))
                for number in range(3):
                    nursery.start_soon(keeper.tell, Put(number))
                    await wait_all_tasks_blocked()
                gate.set()
            await keeper.ask(Count())
            assert log == [crash, 0, 1, 2]
            assert watch.dead() == [(Crash(crash), DeadLetterReason.CRASHED)]


@virtual
async def test_tellers_that_wait_for_room_are_told_when_a_crash_is_the_end() -> None:
    crash = ZeroDivisionError("planted")
    errors: list[object] = []

    async def tell(number: int) -> None:
        try:
            await keeper.tell(Put(number))
        except ActorStopped as error:
            errors.append(error.message)

    async with open_system() as system:
        with watching(system) as watch:
            async with trio.open_nursery() as nursery:
                keeper = await system.spawn(Keeper, mailbox=2, restart="temporary")
                gate = await busy(keeper, nursery)
                keeper.tell_nowait(Crash(crash))
                for number in range(3):
                    nursery.start_soon(tell, number)
                    await wait_all_tasks_blocked()
                gate.set()
            # the crash, taken, made room for one of them
            assert errors == [Put(2)]
            assert watch.dead() == [
                (Crash(crash), DeadLetterReason.CRASHED),
                (Put(0), DeadLetterReason.STOPPED),
                (Put(1), DeadLetterReason.STOPPED),
            ]


@virtual
async def test_a_cancelled_tell_was_not_sent() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=1)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put("sent"))
        with trio.move_on_after(1) as scope:
            await keeper.tell(Put("not sent"))
        assert scope.cancelled_caught
        assert system.tree().children[0].mailbox == 1
        gate.set()
        await wait_all_tasks_blocked()
        assert log == ["sent"]


@virtual
async def test_messages_wait_over_a_crash_and_are_handled_by_the_next_incarnation() -> None:
    log: list[object] = []
    crash = ZeroDivisionError("planted")
    async with open_system() as system:
        keeper = await system.spawn(Keeper, log)
        for message in (Put(1), Crash(crash), Put(2), Put(3)):
            keeper.tell_nowait(message)
        await keeper.ask(Count())
        assert log == [1, crash, 2, 3]
        assert system.statistics().restarts == 1


@virtual
async def test_a_message_to_an_actor_that_has_ended_is_refused() -> None:
    async with open_system() as system:
        keeper = await system.spawn(Keeper, name="keeper")
        await keeper.stop()
        for send in (keeper.tell, keeper.ask):
            with pytest.raises(ActorStopped, match="actor /keeper "):
                await send(Echo(1))
        with pytest.raises(ActorStopped):
            keeper.tell_nowait(Put(1))
        assert system.statistics().dead == 0


@virtual
async def test_other_tasks_run_while_a_backlog_is_drained() -> None:
    log: list[object] = []
    seen: list[int] = []

    async def look() -> None:
        while len(log) < 1000:
            seen.append(len(log))
            await trio.lowlevel.checkpoint()

    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=1000)
        for number in range(1000):
            keeper.tell_nowait(Put(number))
        nursery.start_soon(look)
    steps = [later - earlier for earlier, later in itertools.pairwise(seen)]
    assert len(steps) > 10
    assert max(steps) <= 2 * 64  # two batches, where the scheduler turned the order of two tasks round


@virtual
async def test_a_stop_goes_before_the_backlog() -> None:
    log: list[object] = []
    async with open_system() as system:
        with watching(system) as watch:
            keeper = await system.spawn(Keeper, log)
            for number in range(200):
                keeper.tell_nowait(Put(number))
            await keeper.stop()
            dead = [message for message, _ in watch.dead()]
    assert log[-1] is StopReason.SHUTDOWN
    assert [Put(number) for number in log[:-1]] + dead == [Put(number) for number in range(200)]
    assert dead


@virtual
async def test_stop_finishes_the_message_in_hand() -> None:
    answers: list[str] = []

    async def ask() -> None:
        answers.append(await keeper.ask(Hold(gate)))

    async with open_system() as system, trio.open_nursery() as nursery:
        gate = trio.Event()
        keeper = await system.spawn(Keeper)
        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        nursery.start_soon(keeper.stop)
        await wait_all_tasks_blocked()
        assert answers == []
        gate.set()
    assert answers == ["let go"]


@virtual
async def test_requests_whose_askers_have_gone_leave_their_room_to_others() -> None:
    log: list[object] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, log, mailbox=2)
        gate = await busy(keeper, nursery)
        for number in range(5):
            with trio.move_on_after(1):
                await keeper.ask(Echo(number))
        await keeper.tell(Put("told"))
        keeper.tell_nowait(Put("told at once"))
        with pytest.raises(MailboxFull):
            keeper.tell_nowait(Put("too much"))
        gate.set()
        await wait_all_tasks_blocked()
        assert log == ["told", "told at once"]
