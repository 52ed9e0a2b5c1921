import gc

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import ActorRef, DeadLetterReason, Reply, handles, open_system
from aip_trio.errors import ActorCrashed, ActorStopped, AlreadyReplied, ReplyDropped
from tests.actors.support import Count, Crash, Echo, Keeper, Owe, Put, Quit, virtual, watching


class Outcome:
    """How an ask ended."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.error: Exception | None = None

    @property
    def pending(self) -> bool:
        return self.value is None and self.error is None


def asking(keeper: ActorRef, replies: list[Reply[str]], nursery: trio.Nursery) -> Outcome:
    outcome = Outcome()

    async def ask() -> None:
        try:
            outcome.value = await keeper.ask(Owe(replies))
        except Exception as error:  # noqa: BLE001 - kept to be looked at
            outcome.error = error

    nursery.start_soon(ask)
    return outcome


@virtual
async def test_a_deferred_answer_does_not_hold_up_the_mailbox() -> None:
    replies: list[Reply[str]] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        outcome = asking(keeper, replies, nursery)
        await wait_all_tasks_blocked()
        assert await keeper.ask(Echo("meanwhile")) == "meanwhile"
        assert outcome.pending
        replies[0].send("at last")
        await wait_all_tasks_blocked()
        assert outcome.value == "at last"


@virtual
async def test_answers_may_come_out_of_order() -> None:
    replies: list[Reply[str]] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        outcomes: list[Outcome] = []
        for _ in range(3):
            outcomes.append(asking(keeper, replies, nursery))
            await wait_all_tasks_blocked()
        for number in (2, 0, 1):
            replies[number].send(f"answer {number}")
        await wait_all_tasks_blocked()
        assert [outcome.value for outcome in outcomes] == ["answer 0", "answer 1", "answer 2"]


@virtual
async def test_a_reply_can_fail_its_asker() -> None:
    replies: list[Reply[str]] = []
    error = KeyError("planted")
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        outcome = asking(keeper, replies, nursery)
        await wait_all_tasks_blocked()
        replies[0].fail(error)
        await wait_all_tasks_blocked()
        assert outcome.error is error
        assert system.statistics().crashes == 0


@virtual
async def test_a_task_in_the_nursery_answers() -> None:
    class Worker(Keeper):
        @handles
        async def owe(self, message: Owe, reply: Reply[str]) -> None:
            self.nursery.start_soon(self.work, reply)

        async def work(self, reply: Reply[str]) -> None:
            await trio.sleep(7)
            reply.send("worked")

    async with open_system() as system:
        worker = await system.spawn(Worker)
        assert await worker.ask(Owe([])) == "worked"
        assert trio.current_time() == 7


@virtual
async def test_a_dropped_reply_fails_its_asker() -> None:
    replies: list[Reply[str]] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, name="keeper")
        outcome = asking(keeper, replies, nursery)
        await wait_all_tasks_blocked()
        replies.clear()
        await wait_all_tasks_blocked()
        error = outcome.error
        assert isinstance(error, ReplyDropped)
        assert error.actor == "/keeper"
        assert isinstance(error.message, Owe)


@virtual
async def test_a_reply_that_a_handler_ignores_is_dropped_when_it_returns() -> None:
    class Forgetful(Keeper):
        @handles
        async def owe(self, message: Owe, reply: Reply[str]) -> None:
            await trio.sleep(1)

    async with open_system() as system:
        forgetful = await system.spawn(Forgetful)
        with pytest.raises(ReplyDropped):
            await forgetful.ask(Owe([]))
        assert trio.current_time() == 1


def test_a_reply_may_be_dropped_in_a_worker_thread_by_the_collector() -> None:
    """In real time, because a thread is waited for; ends as soon as it has run."""

    class Knot:
        def __init__(self, reply: Reply[str]) -> None:
            self.reply = reply
            self.myself = self  # only the collector gets it

    async def main() -> None:
        replies: list[Reply[str]] = []
        async with open_system() as system, trio.open_nursery() as nursery:
            keeper = await system.spawn(Keeper)
            outcome = asking(keeper, replies, nursery)
            await wait_all_tasks_blocked()
            Knot(replies.pop())
            assert outcome.pending
            await trio.to_thread.run_sync(gc.collect)
            await wait_all_tasks_blocked()
            assert isinstance(outcome.error, ReplyDropped)

    gc.collect()
    gc.disable()  # else it may run earlier, here
    try:
        trio.run(main)
    finally:
        gc.enable()


def test_a_reply_dropped_after_the_run_harms_nobody() -> None:
    replies: list[Reply[str]] = []

    @virtual
    async def run() -> None:
        async with trio.open_nursery() as nursery, open_system() as system:
            keeper = await system.spawn(Keeper)
            asking(keeper, replies, nursery)
            await wait_all_tasks_blocked()

    run()
    replies.clear()  # an error in __del__ would be a failure of this test
    gc.collect()


@virtual
async def test_a_second_answer_is_refused() -> None:
    replies: list[Reply[str]] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, name="keeper")
        outcome = asking(keeper, replies, nursery)
        await wait_all_tasks_blocked()
        replies[0].send("once")
        with pytest.raises(AlreadyReplied, match="use each Reply once") as raised:
            replies[0].send("twice")
        assert raised.value.actor == "/keeper"
        with pytest.raises(AlreadyReplied):
            replies[0].fail(KeyError())
        await wait_all_tasks_blocked()
        assert outcome.value == "once"


@virtual
async def test_a_told_request_has_a_reply_that_goes_nowhere() -> None:
    replies: list[Reply[str]] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        await keeper.tell(Owe(replies))
        await keeper.ask(Count())
        assert not replies[0].withdrawn
        replies[0].send("into the void")
        assert system.statistics().crashes == 0


@virtual
async def test_a_reply_knows_that_its_asker_has_gone() -> None:
    replies: list[Reply[str]] = []
    async with open_system() as system:
        keeper = await system.spawn(Keeper)
        with trio.move_on_after(1):
            await keeper.ask(Owe(replies))
        assert replies[0].withdrawn
        replies[0].send("too late")
        assert await keeper.ask(Count()) == 0


@virtual
async def test_a_crash_fails_those_to_whom_it_owes_an_answer() -> None:
    replies: list[Reply[str]] = []
    crash = ZeroDivisionError("planted")
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, name="keeper")
        outcomes = [asking(keeper, replies, nursery) for _ in range(2)]
        await wait_all_tasks_blocked()
        with watching(system) as watch:
            await keeper.tell(Crash(crash))
            await wait_all_tasks_blocked()
            assert watch.dead() == [(Crash(crash), DeadLetterReason.CRASHED)]  # those owed were handled
        for outcome in outcomes:
            assert isinstance(outcome.error, ActorCrashed)
            assert outcome.error.__cause__ is crash
        assert outcomes[0].error is not outcomes[1].error
        replies[0].send("too late")
        replies.clear()
        assert await keeper.ask(Count()) == 0


@pytest.mark.parametrize("by_itself", [True, False])
@virtual
async def test_a_stop_fails_those_to_whom_it_owes_an_answer(by_itself: bool) -> None:
    replies: list[Reply[str]] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        outcome = asking(keeper, replies, nursery)
        await wait_all_tasks_blocked()
        if by_itself:
            keeper.tell_nowait(Quit())
            await keeper.stopped()
        else:
            await keeper.stop()
        await wait_all_tasks_blocked()
        assert isinstance(outcome.error, ActorStopped)
        replies[0].send("too late")


@virtual
async def test_a_handler_that_answers_and_then_crashes_has_answered() -> None:
    class Hasty(Keeper):
        @handles
        async def owe(self, message: Owe, reply: Reply[str]) -> None:
            reply.send("answered")
            await trio.lowlevel.checkpoint()
            raise ZeroDivisionError("planted")

    log: list[object] = []
    async with open_system() as system:
        hasty = await system.spawn(Hasty, log)
        assert await hasty.ask(Owe([])) == "answered"
        await hasty.tell(Put(1))
        await hasty.ask(Count())
        assert isinstance(log[0], ZeroDivisionError)
        assert log[1:] == [1]


@virtual
async def test_a_reply_from_an_ended_incarnation_answers_nobody_of_the_next() -> None:
    replies: list[Reply[str]] = []
    async with open_system() as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        asking(keeper, replies, nursery)
        await wait_all_tasks_blocked()
        await keeper.tell(Crash(KeyError("planted")))
        await wait_all_tasks_blocked()
        later = asking(keeper, replies, nursery)
        await wait_all_tasks_blocked()
        replies[0].send("from the first")
        await wait_all_tasks_blocked()
        assert later.pending
        replies[1].send("from the second")
        await wait_all_tasks_blocked()
        assert later.value == "from the second"
