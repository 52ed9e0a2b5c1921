"""Supervised actors started one after another, their memory, and their end.

A bare task has less to do: nobody supervises it, and it takes no messages that are checked. Ours stop in
reverse order of start, each awaited before the next; the bare tasks are cancelled all at once.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

import trio

from aip_trio.actors import open_system
from benchmarks import _bare
from benchmarks._counter import Counter
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target, resident, timed

__all__ = ["ROW"]


def ours(load: Load) -> Measures:
    """`system.spawn` returns when the actor is up."""

    async def main() -> Measures:
        before = resident()
        async with AsyncExitStack() as stack:
            system = await stack.enter_async_context(open_system())
            with timed() as starting:
                refs = [await system.spawn(Counter) for _ in range(load.work)]
            memory = (resident() - before) / len(refs)
            with timed() as stopping:
                await stack.aclose()
        return measures(load, starting.rate(load.work), memory, stopping.rate(load.work))

    return trio.run(main)


def bare(load: Load) -> Measures:
    """`nursery.start` returns when the task has its channel and its scope."""

    async def main() -> Measures:
        before = resident()
        async with AsyncExitStack() as stack:
            nursery = await stack.enter_async_context(trio.open_nursery())
            answers, _ = trio.open_memory_channel[int](1)
            with timed() as starting:
                tasks = [await nursery.start(_bare.counter, answers) for _ in range(load.work)]
            memory = (resident() - before) / len(tasks)
            with timed() as stopping:
                for task in reversed(tasks):
                    task.scope.cancel()
                await stack.aclose()
        return measures(load, starting.rate(load.work), memory, stopping.rate(load.work))

    return trio.run(main)


def pykka(load: Load) -> Measures:
    """`start` returns when the thread runs; `stop` when it has ended."""
    from benchmarks import _pykka

    before = resident()
    with timed() as starting:
        refs = [_pykka.Counter.start() for _ in range(load.work)]
    memory = (resident() - before) / len(refs)
    with timed() as stopping:
        for ref in reversed(refs):
            ref.stop()
    return measures(load, starting.rate(load.work), memory, stopping.rate(load.work))


def measures(load: Load, start: float, memory: float, stop: float) -> Measures:
    """Under one name each, whoever was measured."""
    return {"start": start, "each_kib": memory, "stop": stop}


SCOPED = "task, channel, scope"

ROW = Row(
    name="spawn",
    title="supervised actors, one after another",
    work=20_000,
    subjects=(
        Subject(OURS, ours),
        Subject(SCOPED, bare),
        Subject("pykka", pykka, needs="pykka", share=0.05),
    ),
    figures=(
        Figure("start, beside a bare task", "start", "actors/s", peer=SCOPED, target=Target(0.6, ratio=True)),
        Figure("start, beside pykka", "start", "actors/s", peer="pykka"),
        Figure(
            "memory, beside a bare task",
            "each_kib",
            "KiB each",
            peer=SCOPED,
            target=Target(10, at_most=True),
        ),
        Figure("memory, beside pykka", "each_kib", "KiB each", peer="pykka"),
        Figure("stop, beside a bare task", "stop", "actors/s", peer=SCOPED),
        Figure("stop, beside pykka", "stop", "actors/s", peer="pykka"),
    ),
)
