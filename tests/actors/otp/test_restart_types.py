"""Permanent, transient and temporary children, and what their ends come to."""

from __future__ import annotations

import logging

import pytest

from aip_trio.actors import ActorRef, ChildSpec, Restarted, RestartType, Started, SupervisorRef
from aip_trio.actors._supervisor import StrategyName
from tests.actors.otp._case import Case, as_supervisor, counts, run, states
from tests.actors.otp._children import Die, Kill, Stop

PERMANENT, TRANSIENT, TEMPORARY = RestartType.PERMANENT, RestartType.TRANSIENT, RestartType.TEMPORARY


async def restarted(case: Case, sup: SupervisorRef, child: ActorRef, message: object) -> bool:
    """Whether a new incarnation runs, behind the same ref, after this message has ended the child."""
    before = await case.pid(child)
    await case.does(child, message)
    if await case.down(child):
        return False
    assert [info.ref for info in sup.which_children()] == [child]
    assert states(sup) == {child.name: "running"}
    assert counts(sup) == [1, 1, 0, 1]
    assert await case.pid(child) != before
    return True


async def keeps_spec(case: Case, sup: SupervisorRef, child: ActorRef) -> bool:
    """Whether the spec of a child that has ended is still there."""
    assert child.name not in case.journal.alive.values()
    if sup.which_children() == ():
        assert counts(sup) == [0, 0, 0, 0]
        return False
    assert states(sup) == {child.name: "idle"}
    assert counts(sup) == [1, 0, 0, 1]
    return True


def test_permanent_normal() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await sup.start_child(case.child("child1", restart=PERMANENT))
        assert await restarted(case, sup, child, Stop())

    run(main)


def test_transient_normal() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await sup.start_child(case.child("child1", restart=TRANSIENT))
        assert not await restarted(case, sup, child, Stop())
        assert await keeps_spec(case, sup, child)

    run(main)


def test_temporary_normal() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await sup.start_child(case.child("child1", restart=TEMPORARY))
        assert not await restarted(case, sup, child, Stop())
        assert not await keeps_spec(case, sup, child)

    run(main)


@pytest.mark.parametrize("message", [Die(), Kill()])
def test_permanent_abnormal(message: object) -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await sup.start_child(case.child("child1", restart=PERMANENT))
        assert await restarted(case, sup, child, message)

    run(main)


@pytest.mark.parametrize("message", [Die(), Kill()])
def test_transient_abnormal(message: object) -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await sup.start_child(case.child("child1", restart=TRANSIENT))
        assert await restarted(case, sup, child, message)

    run(main)


@pytest.mark.parametrize("message", [Die(), Kill()])
def test_temporary_abnormal(message: object) -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await sup.start_child(case.child("child1", restart=TEMPORARY))
        assert not await restarted(case, sup, child, message)
        assert not await keeps_spec(case, sup, child)

    run(main)


# An actor cannot end with OTP's reason `shutdown` of its own accord. What ends so in OTP is a supervisor
# whose significant child has ended: that is how these three do it.


async def shuts_itself_down(case: Case, sup: SupervisorRef, restart: RestartType) -> SupervisorRef:
    """Start a supervisor, and have it end because its significant child does."""
    significant = case.child("inner", restart=TRANSIENT, significant=True)
    factory = case.factory(significant, auto_shutdown="any_significant")
    child = as_supervisor(await sup.start_child(ChildSpec("child1", factory, restart=restart)))
    await case.does(child.which_children()[0].ref, Stop())
    assert case.crash(child) is None
    return child


def test_permanent_shutdown() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await shuts_itself_down(case, sup, PERMANENT)
        assert case.journal.read() == ["+inner", "-inner normal", "+inner"]
        assert not await case.down(child)
        assert states(sup) == {"child1": "running"}
        assert states(child) == {"inner": "running"}
        assert counts(sup) == [1, 1, 1, 0]

    run(main)


def test_transient_shutdown() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await shuts_itself_down(case, sup, TRANSIENT)
        assert await case.down(child)
        assert states(sup) == {"child1": "idle"}
        assert counts(sup) == [1, 0, 1, 0]
        assert await sup.restart_child("child1") == child
        assert case.journal.read() == ["+inner", "-inner normal", "+inner"]

    run(main)


def test_temporary_shutdown() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        for _ in range(2):  # its name is free again
            child = await shuts_itself_down(case, sup, TEMPORARY)
            assert await case.down(child)
            assert sup.which_children() == ()
            assert counts(sup) == [0, 0, 0, 0]
        assert case.journal.read() == ["+inner", "-inner normal"] * 2

    run(main)


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_temporary_bystander(strategy: StrategyName) -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(strategy=strategy)
        child1 = await sup.start_child(case.child("child1", shutdown=0.1))
        child2 = await sup.start_child(case.child("child2", restart=TEMPORARY, shutdown=0.1))
        case.journal.read()
        await case.does(child1, Stop())
        assert case.journal.read() == ["-child1 normal", "-child2 shutdown", "+child1"]
        assert await case.down(child2)
        assert not await case.down(sup)
        assert states(sup) == {"child1": "running"}

    run(main)


def test_external_start_no_progress_log(caplog: pytest.LogCaptureFixture) -> None:
    """A restart is told as one, not as a start that somebody asked for, and writes no log."""
    caplog.set_level(logging.DEBUG, logger="aip_trio")

    async def main(case: Case) -> None:
        sup = await case.supervisor()
        child = await sup.start_child(case.child("child1", restart=PERMANENT))
        await case.settle()
        case.events.clear()
        assert await restarted(case, sup, child, Stop())
        assert case.told(Restarted) == ["/sup/child1"]
        assert case.told(Started) == []

    run(main)
    assert caplog.records == []
