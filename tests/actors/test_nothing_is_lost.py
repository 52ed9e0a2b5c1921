"""Whatever happens to actors and senders: every message comes to exactly one end, and in order."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import attrs
import pytest
import trio
from hypothesis import HealthCheck, given, settings, strategies as st
from trio.testing import MockClock

from aip_trio.actors import (
    Actor,
    ActorRef,
    ChildSpec,
    DeadLetter,
    Reply,
    Request,
    StopReason,
    Supervisor,
    SupervisorRef,
    handles,
    open_system,
)
from aip_trio.errors import AskCycle, MessagingError, SupervisionError
from tests.actors.support import Watch, living, watching


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Thousands of planted crashes need not be logged."""
    logger = logging.getLogger("aip_trio.actors")
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(logging.NOTSET)


# What may be drawn


@attrs.frozen
class Send:
    """Send to an actor: how, and what its handler is to do with the message."""

    how: str
    target: int
    deed: str
    seconds: float = 0
    onward: "Send | None" = None


@attrs.frozen
class Call:
    """Call the supervisor."""

    call: str
    target: int


@attrs.frozen
class Pause:
    """Let time pass."""

    seconds: float


@attrs.frozen
class Give:
    """Do it, but give up after so many seconds."""

    patience: float
    step: "Send | Call"


@attrs.frozen
class Player:
    """An actor's mailbox and restart type."""

    mailbox: int
    overflow: str
    restart: str
    shutdown: str | float


@attrs.frozen
class Plot:
    """All that is to happen in one run."""

    strategy: str
    players: list[Player]
    senders: list[list[Send | Call | Pause | Give]]
    cancel_at: float | None


DEEDS = ["take", "work", "work", "crash", "quit", "fail later", "pass on"]
seconds = st.sampled_from([0.0, 0.0, 1.0, 2.0, 7.0])
targets = st.sampled_from([0, 0, 0, 0, 1, 2])  # one of them is busy


def sends(onward: "st.SearchStrategy[Send | None]", deeds: list[str]) -> st.SearchStrategy[Send]:
    return st.builds(
        Send,
        how=st.sampled_from(["tell", "tell", "tell", "nowait", "ask", "defer"]),
        target=targets,
        deed=st.sampled_from(deeds),
        seconds=seconds,
        onward=onward,
    )


passed_on = sends(st.none(), DEEDS[:-1])
sent = sends(passed_on, DEEDS)
calls = st.builds(Call, st.sampled_from(["stop", "terminate", "restart", "restart", "delete"]), targets)
steps = st.one_of(
    sent,
    sent,
    sent,
    st.builds(Give, seconds, st.one_of(sent, calls)),
    calls,
    st.builds(Pause, seconds),
)
players = st.builds(
    Player,
    mailbox=st.integers(1, 3),
    overflow=st.sampled_from(["wait", "wait", "reject", "drop_oldest", "drop_newest"]),
    restart=st.sampled_from(["permanent", "permanent", "transient", "temporary"]),
    shutdown=st.sampled_from(["brutal", 3.0]),
)
plots = st.builds(
    Plot,
    strategy=st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"]),
    players=st.lists(players, min_size=3, max_size=3),
    senders=st.lists(st.lists(steps, min_size=1, max_size=15), min_size=1, max_size=3),
    cancel_at=st.one_of(st.none(), st.sampled_from([0.0, 1.0, 4.0, 9.0])),
)


# What happens


@attrs.frozen
class Parcel:
    number: int
    send: Send


@attrs.frozen
class Demand(Request[int]):
    number: int
    send: Send


@attrs.frozen
class Deferral(Request[int]):
    number: int
    send: Send


class Ledger:
    """Every message: from whom to whom, how its sending ended, and what became of it."""

    def __init__(self) -> None:
        self.refs: list[ActorRef] = []
        self.ways: list[tuple[str, int, str]] = []
        self.outcomes: list[str] = []
        self.taken: list[tuple[int, int]] = []
        self.handled: Counter[int] = Counter()
        self.dead: Counter[int] = Counter()

    async def send(self, sender: str, send: Send) -> None:
        """Send it, and write down how that ended; "given up" where it was cancelled."""
        number = len(self.ways)
        self.ways.append((sender, send.target, send.how))
        self.outcomes.append("given up")
        ref = self.refs[send.target]
        try:
            match send.how:
                case "tell":
                    await ref.tell(Parcel(number, send))
                case "nowait":
                    ref.tell_nowait(Parcel(number, send))
                case "ask":
                    assert await ref.ask(Demand(number, send)) == number
                case _:
                    assert await ref.ask(Deferral(number, send)) == number
        except (MessagingError, AskCycle):
            self.outcomes[number] = "raised"
        else:
            self.outcomes[number] = "answered" if send.how in ("ask", "defer") else "accepted"

    def check(self) -> None:
        """Every message came to exactly one end, and those of one sender in order."""
        last: dict[tuple[str, int], int] = {}
        for target, number in self.taken:
            sender = self.ways[number][0]
            assert last.get((sender, target), -1) < number, "overtaken, or taken twice"
            last[sender, target] = number
        for number, (_, _, how) in enumerate(self.ways):
            ends = (self.handled[number], self.dead[number])
            match how, self.outcomes[number]:
                case _, "accepted":
                    assert sum(ends) == 1
                case _, "answered":
                    assert ends == (1, 0)
                case "tell" | "nowait", _:
                    assert ends == (0, 0)
                case "ask", "raised":  # at the door, or in the mailbox or the handler
                    assert ends in ((0, 0), (0, 1))
                case _:  # its asker has gone, or its actor ended before it gave the deferred answer
                    assert sum(ends) <= 1


class Actress(Actor):
    def __init__(self, ledger: Ledger, index: int) -> None:
        self.ledger = ledger
        self.index = index

    async def started(self) -> None:
        await trio.lowlevel.checkpoint()

    async def stopping(self, reason: StopReason | BaseException) -> None:
        await trio.sleep(0.5)

    async def fail_later(self, seconds: float) -> None:
        await trio.sleep(seconds)
        raise ZeroDivisionError("planted")

    async def do(self, number: int, send: Send) -> None:
        self.ledger.taken.append((self.index, number))
        match send.deed:
            case "work":
                await trio.sleep(send.seconds)
            case "crash":
                raise ZeroDivisionError("planted")
            case "quit":
                self.stop()
            case "fail later":
                self.nursery.start_soon(self.fail_later, send.seconds)
            case "pass on" if send.onward is not None:
                await self.ledger.send(f"actor {self.index}", send.onward)
            case _:
                pass
        self.ledger.handled[number] += 1

    @handles
    async def parcel(self, message: Parcel) -> None:
        await self.do(message.number, message.send)

    @handles
    async def demand(self, message: Demand) -> int:
        await self.do(message.number, message.send)
        return message.number

    @handles
    async def deferral(self, message: Deferral, reply: Reply[int]) -> None:
        async def answer() -> None:
            await trio.sleep(message.send.seconds)
            reply.send(message.number)

        await self.do(message.number, message.send)
        if message.number % 5:  # some are dropped
            self.nursery.start_soon(answer)


async def call(boss: SupervisorRef, ref: ActorRef, name: str) -> None:
    try:
        match name:
            case "stop":
                await ref.stop()
            case "terminate":
                await boss.terminate_child(ref.name)
            case "restart":
                await boss.restart_child(ref.name)
            case _:
                await boss.delete_child(ref.name)
    except (SupervisionError, MessagingError):
        pass


async def play(plot: Plot, ledger: Ledger, stack: ExitStack) -> None:
    async def act(index: int, script: list[Send | Call | Pause | Give]) -> None:
        for step in script:
            patience = float("inf")
            if isinstance(step, Give):
                patience, step = step.patience, step.step
            with trio.CancelScope(deadline=trio.current_time() + patience):
                match step:
                    case Send():
                        await ledger.send(f"sender {index}", step)
                    case Call():
                        await call(boss, ledger.refs[step.target], step.call)
                    case Pause(seconds):
                        await trio.sleep(seconds)
                    case _:
                        raise AssertionError(step)

    specs = [
        ChildSpec(
            f"player-{index}",
            Actress,
            ledger,
            index,
            restart=player.restart,  # type: ignore[arg-type]  # pyright: ignore
            overflow=player.overflow,  # type: ignore[arg-type]  # pyright: ignore
            shutdown=player.shutdown,  # type: ignore[arg-type]  # pyright: ignore
            mailbox=player.mailbox,
        )
        for index, player in enumerate(plot.players)
    ]

    def make() -> Supervisor:
        return Supervisor(*specs, strategy=plot.strategy, intensity=10_000)  # type: ignore[arg-type]  # pyright: ignore

    watches: list[Watch] = []
    with trio.CancelScope() as scope:
        async with open_system(intensity=10_000) as system:
            watches.append(stack.enter_context(watching(system)))
            boss = await system.spawn(make, name="boss")
            found = [system.find(f"/boss/{spec.name}") for spec in specs]
            ledger.refs = [ref for ref in found if ref is not None]
            assert len(ledger.refs) == 3
            if plot.cancel_at is not None:
                scope.deadline = trio.current_time() + plot.cancel_at
            with trio.move_on_after(60):  # tellers may wait for each other
                async with trio.open_nursery() as nursery:
                    for index, script in enumerate(plot.senders):
                        nursery.start_soon(act, index, script)
    for event in (event for watch in watches for event in watch.all):
        if isinstance(event, DeadLetter):
            assert isinstance(event.message, (Parcel, Demand, Deferral))
            ledger.dead[event.message.number] += 1


@given(plots)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_every_message_comes_to_exactly_one_end_and_in_order(plot: Plot) -> None:
    async def main() -> None:
        tasks = living()
        ledger = Ledger()
        with trio.fail_after(10_000), ExitStack() as stack:
            await play(plot, ledger, stack)
        assert living() == tasks
        ledger.check()

    trio.run(main, clock=MockClock(autojump_threshold=0))
