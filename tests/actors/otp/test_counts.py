"""How many children a supervisor has."""

from __future__ import annotations

import trio

from aip_trio.actors import ActorRef, ChildSpec, Supervisor
from tests.actors.otp._case import Case, as_supervisor, counts, run
from tests.actors.otp._children import Die, Flaky, Stop, Switch

MANY = 1000


def test_count_children() -> None:
    async def main(case: Case) -> None:
        template = case.child("child", restart="temporary")
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        for _ in range(MANY):
            await sup.start_child_with()
        assert len(sup.which_children()) == MANY
        assert counts(sup) == [MANY, MANY, 0, MANY]
        for _ in range(MANY):
            await sup.start_child_with()
        children = sup.which_children()
        assert len(set(children)) == 2 * MANY
        assert counts(sup) == [2 * MANY, 2 * MANY, 0, 2 * MANY]
        assert sup.which_children() == children
        for child in children:
            child.ref.tell_nowait(Stop())
        await case.settle()
        assert counts(sup) == [0, 0, 0, 0]
        assert not await case.down(sup)

    run(main)


def test_count_children_supervisor() -> None:
    async def main(case: Case) -> None:
        template = ChildSpec("child", Supervisor, restart="temporary")
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        for number in range(1, 2 * MANY + 1):
            await sup.start_child_with()
            if number % MANY == 0:
                assert len(sup.which_children()) == number
                assert counts(sup) == [number, number, number, 0]
        for child in sup.which_children():
            await as_supervisor(child.ref).stop()
        assert counts(sup) == [0, 0, 0, 0]

    run(main)


def test_count_restarting_children() -> None:
    async def main(case: Case) -> None:
        switch = Switch(after=2.0)
        template = case.child("child", Flaky, switch, shutdown="brutal")
        sup = await case.supervisor(template, strategy="simple_one_for_one", intensity=20, period=10.0)
        children: list[ActorRef] = []
        for number in (1, 2, 3):
            children.append(await sup.start_child_with())
            assert counts(sup) == [number, number, 0, number]
        child1, child2, child3 = children
        for child in children:
            await case.does(child, Die())
        assert counts(sup) == [3, 3, 0, 3]

        switch.failing = True
        await case.does(child1, Die())
        await case.does(child2, Die())
        for _ in range(4):  # in the middle of one attempt after the other
            assert counts(sup) == [3, 1, 0, 3]
            await trio.sleep(1.0)
        switch.failing = False
        await trio.sleep(4.0)
        assert counts(sup) == [3, 3, 0, 3]

        for left, child in ((2, child3), (1, child1), (0, child2)):
            await sup.terminate_child(child)
            assert counts(sup) == [left, left, 0, left]

    run(main)
