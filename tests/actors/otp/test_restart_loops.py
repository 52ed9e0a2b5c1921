"""Supervisors that answer, and stop, while they try over and over to restart a child."""

from __future__ import annotations

import pytest
import trio

from aip_trio.actors import ActorRef, SupervisorRef
from aip_trio.errors import ChildAlreadyPresent, ChildRestarting
from tests.actors.otp._case import Case, counts, run, states
from tests.actors.otp._children import Die, Flaky, Switch

#: What tells that a child is being restarted: an attempt is due, or under way.
TRYING = ("restarting", "starting")


async def hang(case: Case, switch: Switch, child: ActorRef) -> None:
    """Have it crash, and fail to come again, two seconds each time; return in the middle of that."""
    switch.failing = True
    await case.does(child, Die())
    await trio.sleep(3.0)
    assert switch.attempts > 2
    switch.attempts = 0


async def stops_at_once(case: Case, sup: SupervisorRef) -> None:
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() == pytest.approx(began)
    assert await case.down(sup)
    assert case.crash(sup) is None


async def refused_while_restarting(sup: SupervisorRef, name: str) -> None:
    with pytest.raises(ChildAlreadyPresent):
        await sup.start_child(sup.child_spec(name))
    with pytest.raises(ChildRestarting):
        await sup.restart_child(name)
    with pytest.raises(ChildRestarting):
        await sup.delete_child(name)


def test_hanging_restart_loop() -> None:
    async def main(case: Case) -> None:
        switch = Switch(after=2.0)
        sup = await case.supervisor(intensity=8, period=10.0)
        child = await sup.start_child(case.child("child1", Flaky, switch, shutdown="brutal"))
        await hang(case, switch, child)

        await refused_while_restarting(sup, "child1")
        assert states(sup)["child1"] in TRYING
        assert counts(sup) == [1, 0, 0, 1]
        began = trio.current_time()
        await sup.terminate_child("child1")
        assert trio.current_time() == began
        assert states(sup) == {"child1": "idle"}
        assert case.journal.read() == ["+child1", "-child1 died"]

        switch.failing = False
        assert await sup.restart_child("child1") == child
        assert case.journal.read() == ["+child1"]
        await hang(case, switch, child)
        await stops_at_once(case, sup)
        assert case.journal.read() == ["-child1 died"]

    run(main)


def test_hanging_restart_loop_rest_for_one() -> None:
    async def main(case: Case) -> None:
        switch = Switch(after=2.0)
        sup = await case.supervisor(
            case.child("child1", shutdown="brutal"),
            case.child("child2", Flaky, switch, shutdown="brutal"),
            case.child("child3", shutdown="brutal"),
            strategy="rest_for_one",
            intensity=8,
            period=10.0,
        )
        child2 = sup.which_children()[1].ref
        case.journal.read()
        await hang(case, switch, child2)

        found = states(sup)
        assert found.pop("child2") in TRYING
        assert found == {"child1": "running", "child3": "idle"}
        await refused_while_restarting(sup, "child2")
        assert counts(sup) == [3, 1, 0, 3]

        await sup.terminate_child("child2")
        await trio.sleep(10.0)
        # its restart is called off, and with it that of those that wait for it
        assert states(sup) == {"child1": "running", "child2": "idle", "child3": "idle"}
        assert case.journal.read() == ["-child2 died", "-child3 killed"]

        switch.failing = False
        await sup.restart_child("child2")
        assert case.journal.read() == ["+child2"]
        assert states(sup) == {"child1": "running", "child2": "running", "child3": "idle"}
        await hang(case, switch, child2)
        await stops_at_once(case, sup)
        assert case.journal.read() == ["-child2 died", "-child1 killed"]

    run(main)


def test_hanging_restart_loop_simple() -> None:
    async def main(case: Case) -> None:
        switch = Switch(after=2.0)
        template = case.child("child1", Flaky, switch, shutdown="brutal")
        sup = await case.supervisor(template, strategy="simple_one_for_one", intensity=8, period=10.0)
        child = await sup.start_child_with()
        await hang(case, switch, child)

        with pytest.raises(ChildRestarting):
            await sup.restart_child(child)
        with pytest.raises(ChildRestarting):
            await sup.delete_child(child)
        assert states(sup)[child.name] in TRYING
        assert counts(sup) == [1, 0, 0, 1]
        began = trio.current_time()
        await sup.terminate_child(child)
        assert trio.current_time() == began
        assert sup.which_children() == ()

        switch.failing = False
        child = await sup.start_child_with()
        await hang(case, switch, child)
        await stops_at_once(case, sup)
        assert case.journal.alive == {}

    run(main)
