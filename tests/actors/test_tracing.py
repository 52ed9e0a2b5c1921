import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import ActorRef, Envelope, Reply, Request, Step, handles, open_system, tracing
from aip_trio.errors import NoSystem
from tests.actors.support import Crash, Echo, Keeper, Put, virtual


class Traces:
    """Which trace each message belongs to."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, str | None]] = []

    def observe(self, step: Step, ref: ActorRef, envelope: Envelope) -> None:
        if step is Step.TAKEN:
            self.seen.append((envelope.message, envelope.trace))


@attrs.frozen
class Forward:
    """Is passed on as a Put, in one of several ways."""

    how: str
    item: object


@attrs.frozen
class Fetch(Request[object]):
    item: object


class Forwarder(Keeper):
    def __init__(self, target: ActorRef) -> None:
        super().__init__()
        self.target = target

    @handles
    async def forward(self, message: Forward) -> None:
        put = Put(message.item)
        match message.how:
            case "tell":
                await self.target.tell(put)
            case "nursery":
                self.nursery.start_soon(self.target.tell, put)
            case _:
                self.after(1, put)

    @handles
    async def put(self, message: Put) -> None:
        await self.target.tell(message)

    @handles
    async def fetch(self, message: Fetch, reply: Reply[object]) -> None:
        async def work() -> None:
            reply.send(await self.target.ask(Echo(message.item)))

        self.nursery.start_soon(work)


@virtual
async def test_what_is_sent_inside_is_marked_and_what_is_sent_outside_is_not() -> None:
    traces = Traces()
    async with open_system(observer=traces) as system:
        keeper = await system.spawn(Keeper)
        await keeper.tell(Put(1))
        with tracing("t"):
            await keeper.tell(Put(2))
            keeper.tell_nowait(Put(3))
            await keeper.ask(Echo(4))
        await keeper.ask(Echo(5))
        assert traces.seen == [(Put(1), None), (Put(2), "t"), (Put(3), "t"), (Echo(4), "t"), (Echo(5), None)]


@virtual
async def test_traces_nest() -> None:
    traces = Traces()
    async with open_system(observer=traces) as system:
        keeper = await system.spawn(Keeper)
        with tracing("outer"):
            with tracing("inner"):
                await keeper.tell(Put(1))
            await keeper.ask(Echo(2))
        assert traces.seen == [(Put(1), "inner"), (Echo(2), "outer")]


@pytest.mark.parametrize("how", ["tell", "nursery"])
@virtual
async def test_what_a_handler_sends_in_turn_belongs_to_the_trace(how: str) -> None:
    traces = Traces()
    async with open_system(observer=traces) as system:
        keeper = await system.spawn(Keeper)
        forwarder = await system.spawn(Forwarder, keeper)
        with tracing("t"):
            await forwarder.tell(Forward(how, 1))
        await forwarder.tell(Forward(how, 2))
        await wait_all_tasks_blocked()
        assert {seen for seen in traces.seen if isinstance(seen[0], Put)} == {(Put(1), "t"), (Put(2), None)}


@virtual
async def test_a_deferred_answer_stays_in_its_trace() -> None:
    traces = Traces()
    async with open_system(observer=traces) as system:
        keeper = await system.spawn(Keeper)
        forwarder = await system.spawn(Forwarder, keeper)
        with tracing("t"):
            assert await forwarder.ask(Fetch(1)) == 1
        assert traces.seen == [(Fetch(1), "t"), (Echo(1), "t")]


@virtual
async def test_a_timer_does_not_go_on_with_the_trace_of_the_message_before_it() -> None:
    traces = Traces()
    async with open_system(observer=traces) as system:
        keeper = await system.spawn(Keeper)
        forwarder = await system.spawn(Forwarder, keeper)
        await forwarder.tell(Forward("timer", "timed"))
        await wait_all_tasks_blocked()
        with tracing("unrelated"):
            await forwarder.tell(Forward("tell", "traced"))
        await trio.sleep(2)  # the timer's message is the next one that the forwarder handles, and passes on
        assert (Put("traced"), "unrelated") in traces.seen
        assert traces.seen[-1] == (Put("timed"), None)


@virtual
async def test_a_restart_does_not_go_on_with_the_trace_of_the_crash() -> None:
    traces = Traces()

    class Greeting(Keeper):
        def __init__(self, target: ActorRef) -> None:
            super().__init__()
            self.target = target

        async def started(self) -> None:
            await self.target.tell(Put("started"))

    async with open_system(observer=traces) as system:
        keeper = await system.spawn(Keeper)
        greeting = await system.spawn(Greeting, keeper)
        with tracing("t"):
            await greeting.tell(Crash(KeyError("planted")))
        await wait_all_tasks_blocked()
        assert [seen for seen in traces.seen if seen[0] == Put("started")] == [(Put("started"), None)] * 2


@virtual
async def test_tracing_outside_of_a_system_is_refused() -> None:
    with pytest.raises(NoSystem, match=r"tracing\(\) outside of a running system"):
        with tracing("t"):
            pass
