"""Supervisors with very many children: the work grows as their number does, and no faster."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial

import trio

from aip_trio.actors import Actor, ChildSpec, StopReason, SupervisorRef
from tests.actors.otp._case import Case, counts, run

Work = Callable[[Case, int], Awaitable[None]]


class Quiet(Actor):
    """Notes its end, if it is asked to, and does nothing else."""

    def __init__(self, ends: list[int], number: int, seconds: float = 0.0) -> None:
        self._ends = ends
        self._number = number
        self._seconds = seconds

    async def stopping(self, reason: StopReason | BaseException) -> None:
        if self._seconds:
            await trio.sleep(self._seconds)
        self._ends.append(self._number)


@contextmanager
def counting_calls() -> Generator[list[int]]:
    """Count the calls of Python functions: work, whatever the machine's speed."""
    count = [0]

    def note(frame: object, event: str, argument: object) -> None:
        if event == "call":
            count[0] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield count
    finally:
        sys.setprofile(before)


def check_linear(work: Work) -> None:
    """Check that eight times as many children are eight times the work, give or take a little."""

    async def main(case: Case) -> None:
        calls: list[int] = []
        for number in (100, 800):
            with counting_calls() as count:
                await work(case, number)
            calls.append(count[0])
        few, many = calls
        assert few > 100
        assert 7.0 * few < many < 8.8 * few

    run(main, events=False)


async def one_by_one(case: Case, number: int) -> None:
    """Start children by calls, and terminate each."""
    sup = await case.supervisor(name=f"sup{number}")
    ends: list[int] = []
    for n in range(number):
        await sup.start_child(ChildSpec(str(n), Quiet, ends, n))
    for n in range(number):
        await sup.terminate_child(str(n))
    assert len(ends) == number


async def in_reverse(case: Case, number: int) -> None:
    """Start children together with their supervisor, and stop it."""
    ends: list[int] = []
    specs = [ChildSpec(str(n), Quiet, ends, n) for n in range(number)]
    sup = await case.supervisor(*specs, strategy="rest_for_one", name=f"sup{number}")
    await sup.stop()
    assert len(ends) == number


async def start_dynamic(
    case: Case, number: int, ends: list[int], seconds: float = 0.0
) -> tuple[SupervisorRef, list[str]]:
    """A supervisor with so many temporary children, made from one spec."""
    template = ChildSpec("child", partial(Quiet, ends, seconds=seconds), restart="temporary")
    sup = await case.supervisor(template, strategy="simple_one_for_one", name=f"sup{number}")
    return sup, [(await sup.start_child_with(n)).name for n in range(number)]


async def dynamic(case: Case, number: int) -> None:
    """Start dynamic children, terminate half of them, and stop the supervisor of the others."""
    ends: list[int] = []
    sup, names = await start_dynamic(case, number, ends)
    for name in names[::2]:
        await sup.terminate_child(name)
    await sup.stop()
    assert len(ends) == number


def test_simple_one_for_one_scale_many_temporary_children() -> None:
    check_linear(dynamic)

    async def main(case: Case) -> None:
        ends: list[int] = []
        sup, names = await start_dynamic(case, 1_000, ends)
        for name in names:
            await sup.terminate_child(name)
        assert ends == list(range(1_000))
        assert counts(sup) == [0, 0, 0, 0]

        # all together, in the time of one
        ends.clear()
        sup, names = await start_dynamic(case, 10_000, ends, seconds=4.0)
        assert counts(sup) == [10_000, 10_000, 0, 10_000]
        began = trio.current_time()
        await sup.stop()
        assert trio.current_time() == began + 4.0
        assert sorted(ends) == list(range(10_000))

    run(main, events=False)


def test_scale_start_stop_many_children() -> None:
    check_linear(one_by_one)
    check_linear(in_reverse)

    async def main(case: Case) -> None:
        number = 20_000
        ends: list[int] = []
        sup = await case.supervisor()
        for n in range(number):
            await sup.start_child(ChildSpec(str(n), Quiet, ends, n))
        assert counts(sup) == [number, number, 0, number]
        assert ends == []
        for n in range(0, number, 10):
            await sup.terminate_child(str(n))
        assert ends == list(range(0, number, 10))
        assert counts(sup) == [number, number - number // 10, 0, number]
        ends.clear()
        await sup.stop()
        assert ends == [n for n in reversed(range(number)) if n % 10]

    run(main, events=False)
