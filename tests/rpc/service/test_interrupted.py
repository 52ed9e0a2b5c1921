"""Messages put by who interrupts: a signal's handler, a finalizer."""

import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest
import trio

from aip_trio.rpc.service._outgoing import Message, Outgoing


def put(outgoing: Outgoing) -> bool:
    return outgoing.put(Message(1, b"", b"", numbered=False, quoted=False))


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such timers")
def test_a_signals_handler_may_put_whatever_it_interrupts() -> None:
    outgoing = Outgoing(1_000_000)
    # Not counters: a handler may be interrupted by the next one.
    taken: list[Message] = []
    own: list[bool] = []
    others: list[bool] = []

    def interrupted(number: int, frame: object) -> None:
        others.append(put(outgoing))

    async def main() -> None:
        outgoing.open()
        while len(others) < 1000:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(outgoing.wait)
                for _ in range(20):
                    own.append(put(outgoing))
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            while outgoing:
                taken.append(outgoing.take())

    before = signal.signal(signal.SIGALRM, interrupted)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        trio.run(main)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert all(own)
    assert all(others)
    assert len(taken) + len(outgoing) == len(own) + len(others)


@contextmanager
def interrupted_at(line: int, interrupt: Callable[[], object]) -> Generator[None]:
    """Have `Outgoing.wait` interrupted before so many lines of it have run."""
    left = line

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if frame.f_code is not Outgoing.wait.__code__:
            return None
        left -= event == "line"
        if not left:
            left = -1
            interrupt()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.trio
@pytest.mark.parametrize("line", range(1, 6))
async def test_what_is_put_while_its_taker_begins_to_wait_wakes_it(line: int) -> None:
    outgoing = Outgoing(10)
    outgoing.open()
    with trio.fail_after(10), interrupted_at(line, lambda: put(outgoing)):
        await outgoing.wait()
    assert len(outgoing) == 1
