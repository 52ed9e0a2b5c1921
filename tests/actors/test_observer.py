import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import (
    ActorRef,
    Envelope,
    Reply,
    Step,
    Terminated,
    handles,
    open_system,
)
from aip_trio.errors import ActorStopped
from tests.actors.support import Count, Crash, Echo, Keeper, Owe, Put, Unknown, busy, virtual


class Recorder:
    """Writes down every step."""

    def __init__(self) -> None:
        self.steps: list[tuple[Step, str, object]] = []
        self.envelopes: list[Envelope] = []

    def observe(self, step: Step, ref: ActorRef, envelope: Envelope) -> None:
        self.steps.append((step, ref.name, envelope.message))
        if step is Step.TAKEN:
            self.envelopes.append(envelope)

    def of(self, message: object) -> list[Step]:
        """The steps of one message."""
        return [step for step, _, observed in self.steps if observed == message]


@virtual
async def test_it_is_told_of_every_step_of_a_message() -> None:
    recorder = Recorder()
    async with open_system(observer=recorder) as system:
        keeper = await system.spawn(Keeper, name="keeper")
        await keeper.tell(Put(1))
        keeper.tell_nowait(Put(2))
        await keeper.ask(Echo(3))
        await wait_all_tasks_blocked()
        for message in (Put(1), Put(2), Echo(3)):
            assert recorder.of(message) == [Step.SENT, Step.TAKEN, Step.HANDLED]
        assert {name for _, name, _ in recorder.steps} == {"keeper"}


@virtual
async def test_a_message_that_waits_for_room_is_sent_once() -> None:
    recorder = Recorder()
    async with open_system(observer=recorder) as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, mailbox=1)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put(1))
        nursery.start_soon(keeper.tell, Put(2))
        await wait_all_tasks_blocked()
        assert recorder.of(Put(2)) == [Step.SENT]
        gate.set()
        await wait_all_tasks_blocked()
        assert recorder.of(Put(2)) == [Step.SENT, Step.TAKEN, Step.HANDLED]


@virtual
async def test_ends_as_dead_letters_are_observed() -> None:
    recorder = Recorder()
    crash = Crash(KeyError("planted"))
    async with open_system(observer=recorder) as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, mailbox=1, overflow="drop_newest")
        await keeper.tell(crash)
        await wait_all_tasks_blocked()
        await keeper.tell(Unknown())
        await wait_all_tasks_blocked()
        gate = await busy(keeper, nursery)
        await keeper.tell(Put("stopped"))
        await keeper.tell(Put("dropped"))
        nursery.start_soon(keeper.stop)
        await wait_all_tasks_blocked()
        gate.set()
    assert recorder.of(crash) == [Step.SENT, Step.TAKEN, Step.BURIED]
    assert recorder.of(Unknown()) == [Step.SENT, Step.TAKEN, Step.BURIED]
    assert recorder.of(Put("dropped")) == [Step.SENT, Step.BURIED]
    assert recorder.of(Put("stopped")) == [Step.SENT, Step.BURIED]


@virtual
async def test_a_withdrawn_request_is_skipped() -> None:
    recorder = Recorder()
    async with open_system(observer=recorder) as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        gate = await busy(keeper, nursery)
        with trio.move_on_after(1):
            await keeper.ask(Echo(1))
        gate.set()
        await wait_all_tasks_blocked()
        assert recorder.of(Echo(1)) == [Step.SENT, Step.SKIPPED]


@virtual
async def test_a_message_whose_teller_gives_up_waiting_for_room_is_skipped() -> None:
    recorder = Recorder()
    async with open_system(observer=recorder) as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper, mailbox=1)
        gate = await busy(keeper, nursery)
        keeper.tell_nowait(Put(1))
        with trio.move_on_after(1):
            await keeper.tell(Put(2))

        async def tell() -> None:
            with pytest.raises(ActorStopped):
                await keeper.tell(Put(3))

        nursery.start_soon(tell)
        await wait_all_tasks_blocked()
        nursery.start_soon(keeper.stop)
        await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert recorder.of(Put(2)) == [Step.SENT, Step.SKIPPED]
        assert recorder.of(Put(3)) == [Step.SENT, Step.SKIPPED]


@attrs.frozen
class Later:
    pass


class Timed(Keeper):
    async def started(self) -> None:
        self.after(1, Later())

    @handles
    async def later(self, message: Later) -> None: ...

    @handles
    async def terminated(self, message: Terminated) -> None: ...

    @handles
    async def put(self, message: Put) -> None:
        assert isinstance(message.item, ActorRef)
        self.monitor(message.item)


@virtual
async def test_the_runtimes_own_messages_are_observed_like_all_others() -> None:
    recorder = Recorder()
    async with open_system(observer=recorder) as system:
        timed, keeper = await system.spawn(Timed), await system.spawn(Keeper)
        await timed.tell(Put(keeper))
        await trio.sleep(2)
        await keeper.stop()
        await wait_all_tasks_blocked()
        for message in (Later(), Terminated(keeper)):
            assert recorder.of(message) == [Step.SENT, Step.TAKEN, Step.HANDLED]


@virtual
async def test_an_envelope_knows_its_sender_deadline_and_the_chain_of_askers() -> None:
    class Relay(Keeper):
        def __init__(self, target: ActorRef) -> None:
            super().__init__()
            self.target = target

        @handles
        async def echo(self, message: Echo) -> object:
            return await self.target.ask(message)

    recorder = Recorder()
    async with open_system(observer=recorder) as system:
        keeper = await system.spawn(Keeper, name="keeper")
        second = await system.spawn(Relay, keeper, name="second")
        first = await system.spawn(Relay, second, name="first")
        chains: dict[str, tuple[str, ...]] = {}

        class Chains:
            def observe(self, step: Step, ref: ActorRef, envelope: Envelope) -> None:
                if step is Step.SENT:
                    chains[ref.name] = envelope.chain
                recorder.observe(step, ref, envelope)

        assert system.observer is not None
        system.observer._observer = Chains()
        with trio.fail_after(7):
            await first.ask(Echo(1))
        await keeper.tell(Put(2))
        await wait_all_tasks_blocked()
        *asks, tell = recorder.envelopes
        assert [envelope.deadline for envelope in asks] == [7, float("inf"), float("inf")]
        assert [envelope.sender for envelope in asks] == [None, first, second]
        assert chains == {"first": (), "second": ("/first",), "keeper": ()}
        assert (tell.deadline, tell.sender, tell.chain) == (float("inf"), None, ())


@virtual
async def test_one_that_raises_is_logged_and_not_called_again(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Step] = []

    class Broken:
        def observe(self, step: Step, ref: ActorRef, envelope: Envelope) -> None:
            calls.append(step)
            raise ZeroDivisionError("planted")

    async with open_system(observer=Broken()) as system:
        keeper = await system.spawn(Keeper)
        assert await keeper.ask(Echo(1)) == 1
        assert await keeper.ask(Echo(2)) == 2
    assert calls == [Step.SENT]
    (record,) = caplog.records
    assert "is not called again" in record.getMessage()


@virtual
async def test_deferred_answers_are_handled_when_the_handler_returns() -> None:
    recorder = Recorder()
    replies: list[Reply[str]] = []
    async with open_system(observer=recorder) as system, trio.open_nursery() as nursery:
        keeper = await system.spawn(Keeper)
        nursery.start_soon(keeper.ask, Owe(replies))
        await wait_all_tasks_blocked()
        assert [step for step, _, _ in recorder.steps] == [Step.SENT, Step.TAKEN, Step.HANDLED]
        replies[0].send("done")


@virtual
async def test_a_mailbox_counts_alike_with_and_without_observer() -> None:
    for observer in (None, Recorder()):
        async with open_system(observer=observer) as system:
            keeper = await system.spawn(Keeper)
            for number in range(10):
                await keeper.tell(Put(number))
            assert await keeper.ask(Count()) == 10
            assert system.statistics().handled == 11
