"""Group sup_stop: how a supervisor stops its children."""

from __future__ import annotations

import itertools

import pytest
import trio

from aip_trio.actors import ActorRef, ChildSpec, Restarted, RestartType
from tests.actors.otp._case import Case, run
from tests.actors.otp._children import Die, Kill, Odd, Sleep, Slow, Stop

RESTARTS = (RestartType.TEMPORARY, RestartType.TRANSIENT, RestartType.PERMANENT)
#: How a child ends by itself, and what the journal calls it.
OWN_ENDS = ((Stop(), "normal"), (Die(), "died"), (Kill(), "died"))


def test_sup_stop_infinity() -> None:
    async def main(case: Case) -> None:
        inner = ChildSpec("child1", case.factory(case.child("inner", Slow, 1000.0, shutdown="infinity")))
        sup = await case.supervisor(inner, case.child("child2", Slow, 1000.0, shutdown="infinity"))
        case.journal.read()
        began = trio.current_time()
        await sup.stop()
        assert trio.current_time() == pytest.approx(began + 2000.0)
        assert case.journal.read() == ["-child2 shutdown", "-inner shutdown"]

    run(main)


def test_sup_stop_timeout(caplog: pytest.LogCaptureFixture) -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(case.child("child1", shutdown=1.0))
        child2 = await sup.start_child(case.child("child2", shutdown=1.0))
        case.journal.read()
        await case.does(child2, Sleep(200.0))
        began = trio.current_time()
        await sup.stop()
        assert trio.current_time() == pytest.approx(began + 1.0)
        assert case.journal.read() == ["-child2 killed", "-child1 shutdown"]

    run(main)
    (record,) = caplog.records
    assert "/sup/child2 did not stop within shutdown=1.0 s" in record.getMessage()


def test_sup_stop_timeout_dynamic(caplog: pytest.LogCaptureFixture) -> None:
    async def main(case: Case) -> None:
        template = case.child("child", restart="temporary", shutdown=1.0)
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        await sup.start_child_with(name="child1")
        child2 = await sup.start_child_with(name="child2")
        case.journal.read()
        await case.does(child2, Sleep(200.0))
        began = trio.current_time()
        await sup.stop()
        assert trio.current_time() == pytest.approx(began + 1.0)
        assert case.journal.read() == ["-child1 shutdown", "-child2 killed"]
        await case.settle()
        assert case.crash(sup) is None

    run(main)
    (record,) = caplog.records
    assert "/sup/child2 did not stop within shutdown=1.0 s" in record.getMessage()


def test_sup_stop_brutal_kill(caplog: pytest.LogCaptureFixture) -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(
            case.child("child1", shutdown=1.0), case.child("child2", Slow, 10.0, shutdown="brutal")
        )
        case.journal.read()
        began = trio.current_time()
        await sup.stop()
        assert trio.current_time() == began
        assert case.journal.read() == ["-child2 killed", "-child1 shutdown"]

    run(main)
    assert caplog.records == []  # it was meant to be


def test_sup_stop_brutal_kill_dynamic() -> None:
    async def main(case: Case) -> None:
        template = case.child("child", Slow, 10.0, restart="temporary", shutdown="brutal")
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        names = [(await sup.start_child_with()).name for _ in range(10)]
        case.journal.read()
        began = trio.current_time()
        await sup.stop()
        assert trio.current_time() == began
        assert sorted(case.journal.read()) == sorted(f"-{name} killed" for name in names)
        await case.settle()
        assert case.crash(sup) is None

    run(main)


def test_sup_stop_race() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(case.child("child_a", restart="temporary", shutdown=1.0))
        ends: list[tuple[ActorRef, object, str]] = []
        for restart, (order, reason) in itertools.product(RESTARTS, OWN_ENDS):
            name = f"{restart.value}_{type(order).__name__}"
            child = await sup.start_child(case.child(name, restart=restart, shutdown=1.0))
            ends.append((child, order, reason))
        await sup.start_child(case.child("child_z", Slow, 1.0, restart="temporary", shutdown=2.0))
        case.journal.read()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sup.stop)
            await trio.sleep(0.2)
            for child, order, _ in ends:
                child.tell_nowait(order)
        told = case.journal.read()
        assert sorted(told[:-2]) == sorted(f"-{child.name} {reason}" for child, _, reason in ends)
        assert told[-2:] == ["-child_z shutdown", "-child_a shutdown"]
        await case.settle()
        assert case.crash(sup) is None
        assert case.told(Restarted) == []

    run(main)


def test_sup_stop_non_shutdown_exit_dynamic() -> None:
    async def main(case: Case) -> None:
        for restart in RESTARTS:
            template = case.child("child", Odd, restart=restart)
            sup = await case.supervisor(template, strategy="simple_one_for_one")
            expected: list[str] = []
            for number, crashes in enumerate((False, True, False, True)):
                await sup.start_child_with(crashes, name=f"child{number}")
                expected.append(f"-child{number} {'died' if crashes else 'shutdown'}")
            case.journal.read()
            await sup.stop()
            assert sorted(case.journal.read()) == expected
            await case.settle()
            assert case.crash(sup) is None
        assert case.told(Restarted) == []

    run(main)
