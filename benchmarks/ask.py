"""Round trips with one actor: one question at a time, from a task of its own."""

from __future__ import annotations

import trio

from aip_trio.actors import open_system
from benchmarks import _bare
from benchmarks._counter import Count, Counter
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target, timed

__all__ = ["ROW"]


def ours(load: Load) -> Measures:
    """Ask, await the answer, ask again."""

    async def main() -> Measures:
        async with open_system() as system:
            counter = await system.spawn(Counter)
            question = Count()
            with timed() as watch:
                for _ in range(load.work):
                    await counter.ask(question)
            return {"rate": watch.rate(load.work)}

    return trio.run(main)


def ping_pong(load: Load) -> Measures:
    """Two memory channels with room for one each (the fastest: for none, or more, it is slower)."""

    async def main() -> Measures:
        async with trio.open_nursery() as nursery:
            back, answers = trio.open_memory_channel[object](1)
            ponger = await nursery.start(_bare.ponger, back)
            send, receive, question = ponger.send.send, answers.receive, Count()
            with timed() as watch:
                for _ in range(load.work):
                    await send(question)
                    await receive()
            nursery.cancel_scope.cancel()
        return {"rate": watch.rate(load.work)}

    return trio.run(main)


def pykka(load: Load) -> Measures:
    """`ask` blocks the thread."""
    from benchmarks import _pykka

    counter = _pykka.Counter.start()
    question = Count()
    with timed() as watch:
        for _ in range(load.work):
            counter.ask(question)
    counter.stop()
    return {"rate": watch.rate(load.work)}


def pykka_on_one_core(load: Load) -> Measures:
    """As above."""
    from benchmarks import _pykka

    _pykka.on_one_core()
    return pykka(load)


def triotp(load: Load) -> Measures:
    """`call` opens a channel for the answer."""
    from triotp import gen_server

    from benchmarks import _triotp

    async def body(load: Load) -> Measures:
        question = Count()
        with timed() as watch:
            for _ in range(load.work):
                await gen_server.call(_triotp.NAME, question)
        return {"rate": watch.rate(load.work)}

    return _triotp.measure(body, load)


ONE_CORE = "pykka, one core"
RATE = "round trips/s"

ROW = Row(
    name="ask",
    title="ask, one actor",
    work=60_000,
    rounds=7,
    subjects=(
        Subject(OURS, ours),
        Subject("two channels", ping_pong),
        Subject("pykka", pykka, needs="pykka", share=0.25),
        Subject(ONE_CORE, pykka_on_one_core, needs="pykka", share=0.25),
        Subject("TriOTP", triotp, needs="triotp", share=0.5),
    ),
    figures=(
        Figure(
            "beside ping-pong over two channels",
            "rate",
            RATE,
            peer="two channels",
            target=Target(1.2, ratio=True),
        ),
        Figure("beside pykka", "rate", RATE, peer="pykka", target=Target(5, ratio=True)),
        Figure("beside pykka at its best", "rate", RATE, peer=ONE_CORE),
        Figure("beside TriOTP's call", "rate", RATE, peer="TriOTP"),
    ),
)
