"""Group restart_simple_one_for_one, beyond its base case: children made from one spec."""

from __future__ import annotations

import gc
import logging
import weakref

import pytest
import trio

from aip_trio.actors import Ignore, RestartType, SupervisorRef
from aip_trio.errors import RestartIntensityExceeded
from tests.actors.otp._case import Case, counts, run
from tests.actors.otp._children import Asking, Carrying, Die, Door, OnceOnly, Slow, Switch


class Load:
    """Something large that a child is started with."""


async def start_loaded(sup: SupervisorRef, name: str) -> weakref.ref[Load]:
    """Start a child with a load; what is left of that load outside of the supervisor."""
    load = Load()
    await sup.start_child_with(load, name=name)
    return weakref.ref(load)


def test_simple_one_for_one_shutdown(caplog: pytest.LogCaptureFixture) -> None:
    """All are stopped at the same time, and have their time together."""

    async def main(case: Case) -> None:
        template = case.child("child", Slow, shutdown=2.0)
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        await sup.start_child_with(1.0, name="child1")
        await sup.start_child_with(1.0, name="child2")
        await sup.start_child_with(5.0, name="child3")
        case.journal.read()
        began = trio.current_time()
        await sup.stop()
        assert trio.current_time() == pytest.approx(began + 2.0)
        told = case.journal.read()
        assert sorted(told[:2]) == ["-child1 shutdown", "-child2 shutdown"]
        assert told[2:] == ["-child3 killed"]

    run(main)
    (record,) = caplog.records
    assert "/sup/child3 did not stop within shutdown=2.0 s" in record.getMessage()


def test_simple_one_for_one_escalation() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(case.child("child", OnceOnly), strategy="simple_one_for_one", intensity=4)
        switch = Switch()
        child1 = await sup.start_child_with(switch)
        child2 = await sup.start_child_with(Switch())
        await case.does(child1, Die())
        assert switch.attempts == 5
        assert await case.down(sup)
        assert await case.down(child2)
        error = case.crash(sup)
        assert isinstance(error, RestartIntensityExceeded)
        assert (error.child, error.intensity, len(error.causes)) == (child1.name, 4, 5)
        assert case.crash(child2) is None

    run(main)


def test_simple_one_for_one_corruption(caplog: pytest.LogCaptureFixture) -> None:
    """Also after a first child has crashed, nothing is kept of a temporary one that has ended."""
    # an error that is logged, or told as an event, holds the frames of the actor that crashed
    caplog.set_level(logging.CRITICAL, logger="aip_trio.actors")

    async def main(case: Case) -> None:
        template = case.child("child", Carrying, restart="temporary")
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        loads: list[weakref.ref[Load]] = []
        for number in range(3):
            loads.append(await start_loaded(sup, f"child{number}"))
            await case.does(sup.which_children()[0].ref, Die())
            assert sup.which_children() == ()
            assert counts(sup) == [0, 0, 0, 0]
        case.events.clear()
        gc.collect()
        assert [load() for load in loads] == [None, None, None]
        assert not await case.down(sup)

    run(main)


def test_simple_one_for_one_restart_ignore() -> None:
    async def main(case: Case) -> None:
        for restart in (RestartType.TRANSIENT, RestartType.PERMANENT):
            door = Door()
            template = case.child("child", Asking, door, restart=restart)
            sup = await case.supervisor(template, strategy="simple_one_for_one", intensity=10)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(sup.start_child_with)
                (await door.next()).answer()
            (info,) = sup.which_children()

            await case.does(info.ref, Die())
            (await door.next()).answer()
            await case.settle()
            assert [child.ref for child in sup.which_children()] == [info.ref]

            await case.does(info.ref, Die())
            (await door.next()).answer(Ignore())
            assert await case.down(info.ref)
            assert sup.which_children() == ()
            await sup.stop()
            await case.settle()
            assert case.crash(sup) is None

    run(main)
