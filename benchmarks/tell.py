"""tell_nowait to one actor: messages a second that its async handler really has handled.

Bursts that fill the mailbox, each followed by a question that is answered when the burst has been handled.
"""

from __future__ import annotations

from functools import partial

import trio

from aip_trio.actors import open_system
from benchmarks._counter import Count, Counter, Tick
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target, timed

__all__ = ["ROW"]

LARGE, DEFAULT = 10_000, 256


def ours(capacity: int, load: Load) -> Measures:
    """Bursts that leave room for the question."""

    async def main() -> Measures:
        async with open_system() as system:
            counter = await system.spawn(Counter, mailbox=capacity)
            tick, told = Tick(), 0
            with timed() as watch:
                while told < load.work:
                    burst = min(capacity - 1, load.work - told)
                    for _ in range(burst):
                        counter.tell_nowait(tick)
                    told += burst
                    assert await counter.ask(Count()) == told
            return {"rate": watch.rate(load.work)}

    return trio.run(main)


def pykka(load: Load) -> Measures:
    """The same bursts; its mailbox has no bound."""
    from benchmarks import _pykka

    counter = _pykka.Counter.start()
    tick, told = Tick(), 0
    with timed() as watch:
        while told < load.work:
            burst = min(LARGE, load.work - told)
            for _ in range(burst):
                counter.tell(tick)
            told += burst
            assert counter.ask(Count()) == told
    counter.stop()
    return {"rate": watch.rate(load.work)}


def pykka_on_one_core(load: Load) -> Measures:
    """As above."""
    from benchmarks import _pykka

    _pykka.on_one_core()
    return pykka(load)


def triotp(load: Load) -> Measures:
    """Casts; its mailbox has no room, each one waits for its taker."""
    from triotp import gen_server

    from benchmarks import _triotp

    async def body(load: Load) -> Measures:
        tick = Tick()
        with timed() as watch:
            for _ in range(load.work):
                await gen_server.cast(_triotp.NAME, tick)
            assert await gen_server.call(_triotp.NAME, Count()) == load.work
        return {"rate": watch.rate(load.work)}

    return _triotp.measure(body, load)


def channel(load: Load) -> Measures:
    """A bare memory channel, both ends in one task, and no handler."""

    async def main() -> Measures:
        send, receive = trio.open_memory_channel[object](LARGE)
        tick, told = Tick(), 0
        with timed() as watch:
            while told < load.work:
                burst = min(LARGE, load.work - told)
                for _ in range(burst):
                    send.send_nowait(tick)
                for _ in range(burst):
                    receive.receive_nowait()
                told += burst
        return {"rate": watch.rate(load.work)}

    return trio.run(main)


SMALL = f"{OURS}, mailbox={DEFAULT}"
ONE_CORE = "pykka, one core"
RATE = "messages/s"

ROW = Row(
    name="tell",
    title="tell_nowait, one actor",
    work=500_000,
    subjects=(
        Subject(OURS, partial(ours, LARGE)),
        Subject(SMALL, partial(ours, DEFAULT)),
        Subject("pykka", pykka, needs="pykka", share=0.2),
        Subject(ONE_CORE, pykka_on_one_core, needs="pykka", share=0.2),
        Subject("TriOTP", triotp, needs="triotp", share=0.1),
        Subject("bare channel, no task switch", channel),
    ),
    figures=(
        Figure(f"handled, mailbox {LARGE:,}", "rate", RATE, target=Target(1_000_000)),
        Figure("beside pykka", "rate", RATE, peer="pykka", target=Target(4, ratio=True)),
        Figure("beside pykka at its best", "rate", RATE, peer=ONE_CORE),
        Figure("beside TriOTP's cast", "rate", RATE, peer="TriOTP"),
        Figure("beside the limit", "rate", RATE, peer="bare channel, no task switch"),
        Figure(f"handled, mailbox {DEFAULT} (the default)", "rate", RATE, SMALL, target=Target(1_000_000)),
        Figure(f"mailbox {DEFAULT} beside pykka", "rate", RATE, SMALL, "pykka", target=Target(4, ratio=True)),
    ),
)
