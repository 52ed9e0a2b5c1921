"""From the message that crashes an actor to the first answer of its next incarnation."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter

import trio

from benchmarks._counter import Boom, Count, Counter, Tick, tolerant_system
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target

__all__ = ["ROW", "quiet"]


def quiet() -> None:
    """Configure logging so that the reports of crashes are not even made."""
    logging.getLogger("aip_trio.actors").setLevel(logging.CRITICAL + 1)


class Formatted(logging.Handler):
    """Formats every record, and writes none."""

    def emit(self, record: logging.LogRecord) -> None:
        """To nowhere."""
        self.format(record)


def loud() -> None:
    """Configure logging as a program would: reports with tracebacks."""
    logging.basicConfig(handlers=[Formatted()], format="%(asctime)s %(name)s %(levelname)s %(message)s")


def ours(configure: Callable[[], None], load: Load) -> Measures:
    """The question waits in the mailbox over the crash; the next incarnation answers it."""
    configure()

    async def main() -> Measures:
        async with tolerant_system() as system:
            counter = await system.spawn(Counter)

            async def once() -> None:
                counter.tell_nowait(Tick())
                counter.tell_nowait(Boom())
                assert await counter.ask(Count()) == 0

            found = await distribution(once, load.work)
            assert system.statistics().restarts == load.work
            return found

    return trio.run(main)


def loop(load: Load) -> Measures:
    """A task that catches its own crash and begins anew, with a new nursery; the channels outlive it."""

    async def main() -> Measures:
        send, receive = trio.open_memory_channel[object](256)
        back, answers = trio.open_memory_channel[int](1)

        async def life() -> None:
            async with trio.open_nursery():
                ticks = 0
                while True:
                    match await receive.receive():
                        case Tick():
                            ticks += 1
                        case Boom():
                            raise RuntimeError("boom")
                        case _:
                            await back.send(ticks)

        async def lives() -> None:
            while True:
                try:
                    await life()
                except* RuntimeError:
                    pass

        async def once() -> None:
            send.send_nowait(Tick())
            send.send_nowait(Boom())
            send.send_nowait(Count())
            assert await answers.receive() == 0

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lives)
            found = await distribution(once, load.work)
            nursery.cancel_scope.cancel()
        return found

    return trio.run(main)


async def distribution(once: Callable[[], Awaitable[None]], count: int) -> Measures:
    """Its median and its 99th percentile, in milliseconds."""
    times: list[float] = []
    for _ in range(count):
        began = perf_counter()
        await once()
        times.append((perf_counter() - began) * 1e3)
    return {
        "p50_ms": statistics.median(times),
        "p99_ms": statistics.quantiles(times, n=100, method="inclusive")[-1],
        "max_ms": max(times),
    }


LOUD = f"{OURS}, crashes logged"
LOOP = "task that catches itself"
MS = Target(1, at_most=True)

ROW = Row(
    name="crash",
    title="crash to restarted and answering, in process",
    work=5_000,
    subjects=(
        Subject(OURS, partial(ours, quiet)),
        Subject(LOUD, partial(ours, loud)),
        Subject(LOOP, loop),
    ),
    figures=(
        Figure("p50, logging off", "p50_ms", "ms", peer=LOOP, target=MS),
        Figure("p99, logging off", "p99_ms", "ms", peer=LOOP, target=MS),
        Figure("worst, logging off", "max_ms", "ms", peer=LOOP),
        Figure("p50, tracebacks formatted", "p50_ms", "ms", LOUD, LOOP, target=MS),
        Figure("p99, tracebacks formatted", "p99_ms", "ms", LOUD, LOOP, target=MS),
    ),
)
