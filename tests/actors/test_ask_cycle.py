from collections.abc import Awaitable, Callable

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import Actor, ActorRef, Reply, Request, handles, open_system
from aip_trio.actors._groups import bare
from aip_trio.errors import ActorCrashed, AskCycle, StartFailed
from tests.actors.support import virtual


@attrs.frozen
class Ping(Request[str]):
    """Is answered at once."""


@attrs.frozen
class Relay(Request[str]):
    """Is passed along these actors; the last one gets a Ping."""

    route: tuple[ActorRef, ...]


@attrs.frozen
class Via(Request[str]):
    """Is passed on from a nursery that the handler opens."""

    target: ActorRef


@attrs.frozen
class Apart(Request[str]):
    """Is passed on from a task in self.nursery, while the handler goes on."""

    target: ActorRef


@attrs.frozen
class Later(Request[str]):
    """Is answered by a task in self.nursery, after so many seconds."""

    delay: float


@attrs.frozen
class Step(Request[str]):
    """Asks the target as soon as the gate opens."""

    gate: trio.Event
    target: ActorRef


class Party(Actor):
    @handles
    async def ping(self, message: Ping) -> str:
        return self.ref.name

    @handles
    async def relay(self, message: Relay) -> str:
        first, *rest = message.route
        return await (first.ask(Relay(tuple(rest))) if rest else first.ask(Ping()))

    @handles
    async def via(self, message: Via) -> str:
        answers: list[str] = []

        async def ask() -> None:
            answers.append(await message.target.ask(Ping()))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
        return answers[0]

    @handles
    async def apart(self, message: Apart, reply: Reply[str]) -> None:
        async def ask() -> None:
            reply.send(await message.target.ask(Ping()))

        self.nursery.start_soon(ask)

    @handles
    async def later(self, message: Later, reply: Reply[str]) -> None:
        async def answer() -> None:
            await trio.sleep(message.delay)
            reply.send("later")

        self.nursery.start_soon(answer)

    @handles
    async def step(self, message: Step) -> str:
        await message.gate.wait()
        return await message.target.ask(Ping())


async def cycle_of(call: Callable[[], Awaitable[object]]) -> tuple[str, ...]:
    """The path of the cycle that crashes the asking actors, one after the other."""
    with pytest.raises(ActorCrashed) as raised:
        await call()
    assert trio.current_time() == 0
    error: BaseException | None = raised.value
    while isinstance(error, (ActorCrashed, StartFailed)):
        error = error.__cause__
    if error is not None:
        error = bare(error)  # it comes from the handler's own nursery
    assert isinstance(error, AskCycle)
    return error.path


@virtual
async def test_an_actor_that_asks_itself_is_told_so() -> None:
    async with open_system() as system:
        a = await system.spawn(Party, name="a")
        assert await cycle_of(lambda: a.ask(Relay((a,)))) == ("/a", "/a")


@virtual
async def test_two_actors_that_ask_each_other_are_told_so() -> None:
    async with open_system() as system:
        a = await system.spawn(Party, name="a")
        b = await system.spawn(Party, name="b")
        assert await cycle_of(lambda: a.ask(Relay((b, a)))) == ("/b", "/a", "/b")


@virtual
async def test_a_circle_of_three_is_told_with_its_path() -> None:
    async with open_system() as system:
        a, b, c = [await system.spawn(Party, name=name) for name in "abc"]
        assert await cycle_of(lambda: a.ask(Relay((b, c, a)))) == ("/c", "/a", "/b", "/c")


@virtual
async def test_a_circle_into_which_somebody_asks_from_outside_is_found_too() -> None:
    async with open_system() as system:
        a, b, c = [await system.spawn(Party, name=name) for name in "abc"]
        assert await cycle_of(lambda: a.ask(Relay((b, c, b)))) == ("/c", "/b", "/c")


@virtual
async def test_the_error_names_the_path_and_the_ways_out() -> None:
    error = AskCycle(("/a", "/b", "/a"))
    assert "/a → /b → /a" in str(error)
    assert "tell" in str(error)
    assert "self.nursery" in str(error)


@virtual
async def test_two_actors_that_come_to_ask_each_other_from_two_messages_are_told_so() -> None:
    """Neither request is part of the other's chain: each actor is busy with a message from outside."""
    outcomes: list[object] = []

    async def run(ref: ActorRef, message: Step) -> None:
        try:
            answer = await ref.ask(message)
            outcomes.append(answer)
        except ActorCrashed as error:
            outcomes.append(error.__cause__)

    async with open_system() as system, trio.open_nursery() as nursery:
        a = await system.spawn(Party, name="a")
        b = await system.spawn(Party, name="b")
        first, second = trio.Event(), trio.Event()
        nursery.start_soon(run, a, Step(first, b))
        nursery.start_soon(run, b, Step(second, a))
        await wait_all_tasks_blocked()
        first.set()
        await wait_all_tasks_blocked()
        assert outcomes == []  # a waits for b, which is busy
        second.set()
        await wait_all_tasks_blocked()
        cycle, answer = sorted(outcomes, key=lambda outcome: isinstance(outcome, str))
        assert isinstance(cycle, AskCycle)
        assert cycle.path == ("/b", "/a", "/b")
        assert answer == "b"  # b's next incarnation answered it


@virtual
async def test_a_nursery_of_the_handlers_own_is_the_handler() -> None:
    async with open_system() as system:
        a = await system.spawn(Party, name="a")
        assert await cycle_of(lambda: a.ask(Via(a))) == ("/a", "/a")


@virtual
async def test_a_task_in_the_actors_nursery_holds_up_nobody() -> None:
    async with open_system() as system:
        a = await system.spawn(Party, name="a")
        assert await a.ask(Apart(a)) == "a"


@virtual
async def test_a_round_trip_through_a_task_in_the_nursery_is_no_cycle() -> None:
    async with open_system() as system:
        a = await system.spawn(Party, name="a")
        b = await system.spawn(Party, name="b")
        # a's task asks b, whose handler asks a, which is free
        assert await a.ask(Apart(b)) == "b"

        class Between(Party):
            @handles
            async def ping(self, message: Ping) -> str:
                return await a.ask(Ping())

        between = await system.spawn(Between)
        assert await a.ask(Apart(between)) == "a"


@virtual
async def test_two_that_ask_the_same_third_are_no_cycle() -> None:
    answers: list[str] = []

    async def ask(ref: ActorRef) -> None:
        answers.append(await ref.ask(Relay((c,))))

    async with open_system() as system:
        a, b, c = [await system.spawn(Party, name=name) for name in "abc"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, a)
            nursery.start_soon(ask, b)
        assert answers == ["c", "c"]
        assert await a.ask(Relay((b, c))) == "c"


@virtual
async def test_an_edge_ends_with_its_answer() -> None:
    async with open_system() as system:
        a = await system.spawn(Party, name="a")
        b = await system.spawn(Party, name="b")
        for _ in range(3):
            assert await a.ask(Relay((b,))) == "b"
            assert await b.ask(Relay((a,))) == "a"


@virtual
async def test_an_edge_ends_with_its_answer_even_before_the_asker_has_run() -> None:
    """The asked one answers, and goes on with its next message in the same step."""
    answers: list[str] = []

    async def ask(ref: ActorRef, message: Relay) -> None:
        answers.append(await ref.ask(message))

    async with open_system() as system, trio.open_nursery() as nursery:
        a = await system.spawn(Party, name="a")
        b = await system.spawn(Party, name="b")
        gate = trio.Event()
        c = await system.spawn(Party, name="c")
        nursery.start_soon(b.ask, Step(gate, c))  # b is busy
        await wait_all_tasks_blocked()
        nursery.start_soon(ask, a, Relay((b,)))  # so a waits for it,
        await wait_all_tasks_blocked()
        nursery.start_soon(ask, b, Relay((a,)))  # and behind that b is to ask a
        await wait_all_tasks_blocked()
        gate.set()
        await wait_all_tasks_blocked()
        assert sorted(answers) == ["a", "b"]


@virtual
async def test_an_edge_ends_when_its_asker_gives_up() -> None:
    async with open_system() as system, trio.open_nursery() as nursery:
        gate = trio.Event()

        class Impatient(Party):
            @handles
            async def relay(self, message: Relay) -> str:
                with trio.move_on_after(1):
                    await message.route[0].ask(Step(gate, message.route[0]))
                await trio.sleep(10)
                return "gave up"

        other = await system.spawn(Party, name="other")
        busy = await system.spawn(Party, name="busy")
        a = await system.spawn(Impatient, name="a")
        nursery.start_soon(busy.ask, Step(gate, other))
        await wait_all_tasks_blocked()
        answers: list[str] = []

        async def ask(ref: ActorRef, message: Relay) -> None:
            answers.append(await ref.ask(message))

        nursery.start_soon(ask, a, Relay((busy,)))
        await trio.sleep(2)
        gate.set()
        await wait_all_tasks_blocked()
        nursery.start_soon(ask, busy, Relay((a,)))  # a is busy, but does not wait for it any more
        await trio.sleep(20)
        assert sorted(answers) == ["a", "gave up"]


@virtual
async def test_asking_one_that_will_answer_from_a_task_is_no_cycle() -> None:
    """Its handler has returned: it can take other messages, ask back in them, and answer all the same."""
    async with open_system() as system, trio.open_nursery() as nursery:

        class Asker(Party):
            @handles
            async def relay(self, message: Relay) -> str:
                return await message.route[0].ask(Later(5))

        a = await system.spawn(Asker, name="a")
        b = await system.spawn(Party, name="b")
        answers: list[str] = []

        async def ask(ref: ActorRef, message: Relay) -> None:
            answers.append(await ref.ask(message))

        nursery.start_soon(ask, a, Relay((b,)))  # a waits for b's task
        await wait_all_tasks_blocked()
        nursery.start_soon(ask, b, Relay((a,)))  # b's handler waits for a, which b's task will free
        await trio.sleep(6)
        assert sorted(answers) == ["a", "later"]


class Child(Actor):
    def __init__(self, parent: ActorRef) -> None:
        self.parent = parent

    async def started(self) -> None:
        await self.parent.ask(Ping())


@attrs.frozen
class Bear(Request[str]):
    """Has a child that asks back as it starts; ``apart``: from a task in self.nursery."""


class Parent(Party):
    @handles
    async def bear(self, message: Bear) -> str:
        child = await self.spawn(Child, self.ref, name="child")
        return child.name


class BusyParent(Party):
    @handles
    async def bear(self, message: Bear, reply: Reply[str]) -> None:
        async def spawn() -> None:
            child = await self.spawn(Child, self.ref, name="child")
            reply.send(child.name)

        self.nursery.start_soon(spawn)


@virtual
async def test_a_child_that_asks_the_parent_that_waits_for_it_is_told_so() -> None:
    async with open_system() as system:
        parent = await system.spawn(Parent, name="parent")
        path = await cycle_of(lambda: parent.ask(Bear()))
        assert path == ("/parent/child", "/parent", "/parent/child")


@virtual
async def test_a_child_that_is_up_may_ask_its_parent_before_the_parent_has_run() -> None:
    """It counts as up, and handles its first message, in the same step."""
    answers: list[str] = []

    class Eager(Party):
        def __init__(self, parent: ActorRef) -> None:
            self.parent = parent

        async def started(self) -> None:
            self.ref.tell_nowait(Relay((self.parent,)))

        @handles
        async def relay(self, message: Relay) -> str:
            answers.append(await super().relay(message))
            return ""

    class EagersParent(Party):
        @handles
        async def bear(self, message: Bear) -> str:
            return (await self.spawn(Eager, self.ref, name="child")).name

    async with open_system() as system:
        parent = await system.spawn(EagersParent, name="parent")
        assert await parent.ask(Bear()) == "child"
        await wait_all_tasks_blocked()
        assert answers == ["parent"]
        assert system.statistics().crashes == 0


@virtual
async def test_a_child_may_ask_a_parent_that_spawns_it_from_a_task() -> None:
    async with open_system() as system:
        parent = await system.spawn(BusyParent, name="parent")
        assert await parent.ask(Bear()) == "child"


@virtual
async def test_an_actor_cannot_wait_for_its_own_stop() -> None:
    class Weary(Party):
        @handles
        async def ping(self, message: Ping) -> str:
            await self.ref.stop()
            return "unreachable"

    async with open_system() as system:
        weary = await system.spawn(Weary, name="weary")
        path = await cycle_of(lambda: weary.ask(Ping()))
        assert path[0] == path[-1] == "/weary"


@virtual
async def test_a_child_cannot_wait_for_the_stop_of_its_parent() -> None:
    @attrs.frozen
    class Rebel(Request[str]):
        pass

    class Younger(Actor):
        def __init__(self, parent: ActorRef) -> None:
            self.parent = parent

        @handles
        async def rebel(self, message: Rebel) -> str:
            await self.parent.stop()
            return "unreachable"

    class Elder(Actor):
        async def started(self) -> None:
            await self.spawn(Younger, self.ref, name="younger")

    async with open_system() as system:
        await system.spawn(Elder, name="elder")
        younger = system.find("/elder/younger")
        assert younger is not None
        path = await cycle_of(lambda: younger.ask(Rebel()))
        assert path == ("/elder/younger", "/elder", "/elder/younger")
