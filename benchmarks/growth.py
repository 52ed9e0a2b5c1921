"""How each of it grows with the number of actors in one system, up to 100,000.

Messages go round: one to each actor, then one more to each. So an actor is woken for every message, and
nothing is gained by handling several in one go, as in the row about one actor.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack
from time import perf_counter

import trio

from aip_trio.actors import ActorRef
from benchmarks import _bare
from benchmarks._counter import Boom, Count, Counter, Tick, tolerant_system
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, resident, timed
from benchmarks.crash import quiet

__all__ = ["ROW"]

#: Of how many actors, one after another, a crash is timed; always different ones.
CRASHES = 100


def ours(load: Load) -> Measures:
    """All actors stand below the root of one system."""
    quiet()
    rounds = -(-load.work // load.actors)

    async def main() -> Measures:
        before = resident()
        async with AsyncExitStack() as stack:
            system = await stack.enter_async_context(tolerant_system())
            with timed() as starting:
                refs = [await system.spawn(Counter) for _ in range(load.actors)]
            memory = resident() - before
            tick, question = Tick(), Count()
            with timed() as telling:
                for _ in range(rounds):
                    for ref in refs:
                        ref.tell_nowait(tick)
                    await handled()
            with timed() as asking:
                for _ in range(rounds):
                    for ref in refs:
                        assert await ref.ask(question) == rounds
            restarts = await crashes(refs)
            with timed() as stopping:
                await stack.aclose()
        return {
            **measures(load, starting.seconds, memory, telling.seconds, asking.seconds, stopping.seconds),
            "restart_ms": statistics.median(restarts),
            "worst_ms": max(restarts),
        }

    return trio.run(main)


async def handled() -> None:
    """All tasks that were ready have had their turn (Trio shuffles them: this one may come first)."""
    for _ in range(2):
        await trio.lowlevel.checkpoint()


async def crashes(refs: Sequence[ActorRef]) -> list[float]:
    """One crash each of some of them: the milliseconds until the next incarnation has answered."""
    times: list[float] = []
    for ref in refs[:: max(1, len(refs) // CRASHES)]:
        began = perf_counter()
        ref.tell_nowait(Boom())
        assert await ref.ask(Count()) == 0
        times.append((perf_counter() - began) * 1e3)
    return times


def bare(load: Load) -> Measures:
    """Tasks with a channel and a cancel scope; nobody restarts them."""
    rounds = -(-load.work // load.actors)

    async def main() -> Measures:
        before = resident()
        async with AsyncExitStack() as stack:
            nursery = await stack.enter_async_context(trio.open_nursery())
            back, answers = trio.open_memory_channel[int](1)
            with timed() as starting:
                tasks = [await nursery.start(_bare.counter, back) for _ in range(load.actors)]
            memory = resident() - before
            tick, question = Tick(), Count()
            with timed() as telling:
                for _ in range(rounds):
                    for task in tasks:
                        task.send.send_nowait(tick)
                    await handled()
            with timed() as asking:
                for _ in range(rounds):
                    for task in tasks:
                        await task.send.send(question)
                        assert await answers.receive() == rounds
            with timed() as stopping:
                for task in reversed(tasks):
                    task.scope.cancel()
                await stack.aclose()
        return measures(load, starting.seconds, memory, telling.seconds, asking.seconds, stopping.seconds)

    return trio.run(main)


def pykka(load: Load) -> Measures:
    """A thread each. One question to each actor, after all rounds, says that its ticks are handled."""
    from benchmarks import _pykka

    rounds = -(-load.work // load.actors)
    before = resident()
    with timed() as starting:
        refs = [_pykka.Counter.start() for _ in range(load.actors)]
    memory = resident() - before
    tick, question = Tick(), Count()
    with timed() as telling:
        for _ in range(rounds):
            for ref in refs:
                ref.tell(tick)
        for ref in refs:
            assert ref.ask(question) == rounds
    with timed() as asking:
        for _ in range(rounds):
            for ref in refs:
                ref.ask(question)
    with timed() as stopping:
        for ref in reversed(refs):
            ref.stop()
    return measures(load, starting.seconds, memory, telling.seconds, asking.seconds, stopping.seconds)


def measures(
    load: Load, starting: float, memory: float, telling: float, asking: float, stopping: float
) -> Measures:
    """Under one name each, whoever was measured; memory in KiB, the rest in seconds."""
    messages = -(-load.work // load.actors) * load.actors
    return {
        "tell": messages / telling,
        "ask": messages / asking,
        "start": load.actors / starting,
        "start_s": starting,
        "each_kib": memory / load.actors,
        "all_mib": memory / 1024,
        "stop": load.actors / stopping,
        "stop_s": stopping,
    }


BARE = "task, channel, scope"

ROW = Row(
    name="growth",
    title="growth with the number of actors in one system",
    work=50_000,
    rounds=3,
    sizes=(10, 100, 1_000, 10_000, 100_000),
    subjects=(
        Subject(OURS, ours),
        Subject(BARE, bare),
        Subject("pykka", pykka, needs="pykka", share=0.4, up_to=1_000),
    ),
    curves=(
        ("tell", "tell to all, messages/s"),
        ("ask", "ask of all, round trips/s"),
        ("start", "start, actors/s"),
        ("each_kib", "memory, KiB each"),
        ("stop", "stop, actors/s"),
        ("restart_ms", "one crash restarted, ms"),
    ),
    figures=(
        Figure("of {actors:,}: memory, all", "all_mib", "MiB", peer=BARE),
        Figure("of {actors:,}: memory, each", "each_kib", "KiB", peer=BARE),
        Figure("of {actors:,}: start, one after another", "start_s", "s", peer=BARE),
        Figure("of {actors:,}: stop, in reverse order", "stop_s", "s", peer=BARE),
        Figure("of {actors:,}: one crash restarted, p50", "restart_ms", "ms"),
        Figure("of {actors:,}: one crash restarted, worst", "worst_ms", "ms"),
    ),
)
