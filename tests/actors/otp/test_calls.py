"""The calls on a supervisor, their results and their refusals."""

from __future__ import annotations

import pytest
import trio

from aip_trio.errors import (
    ActorStopped,
    ChildAlreadyPresent,
    ChildAlreadyStarted,
    ChildNotFound,
    ChildRunning,
    InvalidSpec,
)
from tests.actors.otp._case import Case, counts, run, states
from tests.actors.otp._children import Sleep, Worker


def test_child_adm() -> None:
    async def main(case: Case) -> None:
        spec = case.child("child1", shutdown=1.0)
        sup = await case.supervisor(spec)
        (info,) = sup.which_children()
        child, pid = info.ref, await case.pid(info.ref)
        assert counts(sup) == [1, 1, 0, 1]

        with pytest.raises(ChildAlreadyStarted) as started:
            await sup.start_child(spec)
        assert (started.value.supervisor, started.value.name) == ("/sup", "child1")
        assert await case.pid(child) == pid

        # termination
        with pytest.raises(ChildNotFound):
            await sup.terminate_child("hej")
        await sup.terminate_child("child1")
        assert case.journal.read() == ["+child1", "-child1 shutdown"]
        assert states(sup) == {"child1": "idle"}
        assert counts(sup) == [1, 0, 0, 1]
        await sup.terminate_child("child1")  # like deleting what does not exist: fine
        with pytest.raises(ActorStopped):
            child.tell_nowait(Sleep(1.0))

        with pytest.raises(ChildAlreadyPresent):
            await sup.start_child(spec)

        # restart
        assert await sup.restart_child("child1") == child
        assert await case.pid(child) != pid
        assert counts(sup) == [1, 1, 0, 1]
        with pytest.raises(ChildRunning):
            await sup.restart_child("child1")
        with pytest.raises(ChildNotFound):
            await sup.restart_child("child2")

        # deletion
        with pytest.raises(ChildRunning):
            await sup.delete_child("child1")
        with pytest.raises(ChildNotFound):
            await sup.delete_child("hej")
        await sup.terminate_child("child1")
        await sup.delete_child("child1")
        with pytest.raises(ChildNotFound):
            await sup.restart_child("child1")
        assert sup.which_children() == ()
        assert counts(sup) == [0, 0, 0, 0]

        # start
        again = await sup.start_child(spec)
        assert again != child
        assert counts(sup) == [1, 1, 0, 1]

        # by its ref: the child itself, and never a namesake of it
        with pytest.raises(ChildNotFound):
            await sup.restart_child(child)
        stranger = await case.system.spawn(Worker, case.journal, name="child1")
        with pytest.raises(ChildNotFound):
            await sup.terminate_child(stranger)
        assert await case.pid(stranger)
        assert counts(sup) == [1, 1, 0, 1]
        await sup.terminate_child(again)
        assert states(sup) == {"child1": "idle"}

        # no supervisor
        await sup.stop()
        for refused in (
            sup.start_child(spec),
            sup.terminate_child("child1"),
            sup.restart_child("child1"),
            sup.delete_child("child1"),
        ):
            with pytest.raises(ActorStopped):
                await refused
        with pytest.raises(ActorStopped):
            sup.which_children()
        with pytest.raises(ActorStopped):
            sup.count_children()

    run(main)


def test_child_adm_simple() -> None:
    async def main(case: Case) -> None:
        spec = case.child("child", shutdown=1.0)
        sup = await case.supervisor(spec, strategy="simple_one_for_one")
        assert sup.which_children() == ()
        assert counts(sup) == [0, 0, 0, 0]
        with pytest.raises(InvalidSpec):
            await sup.start_child(spec)

        # start
        child1 = await sup.start_child_with()
        assert [child.ref for child in sup.which_children()] == [child1]
        assert counts(sup) == [1, 1, 0, 1]
        child2 = await sup.start_child_with()
        assert [child.ref for child in sup.which_children()] == [child1, child2]
        assert counts(sup) == [2, 2, 0, 2]

        # termination; what is named by the spec's own name is no child
        with pytest.raises(ChildNotFound):
            await sup.terminate_child("child")
        assert counts(sup) == [2, 2, 0, 2]
        await sup.terminate_child(child1)
        assert await case.down(child1)
        assert [child.ref for child in sup.which_children()] == [child2]
        assert counts(sup) == [1, 1, 0, 1]
        await sup.terminate_child(child1)  # it has ended: fine
        assert counts(sup) == [1, 1, 0, 1]
        stranger = await case.system.spawn(Worker, case.journal, name=child2.name)
        with pytest.raises(ChildNotFound):
            await sup.terminate_child(stranger)
        assert await case.pid(stranger)
        assert await case.pid(child2)

        # of one that has ended nothing is kept that could be restarted or deleted
        with pytest.raises(ChildNotFound):
            await sup.restart_child(child1)
        with pytest.raises(ChildNotFound):
            await sup.delete_child(child1)
        with pytest.raises(ChildRunning):
            await sup.restart_child(child2)
        with pytest.raises(ChildRunning):
            await sup.delete_child(child2)

    run(main)


def test_which_children() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor()
        assert sup.which_children() == ()
        with pytest.raises(ChildNotFound):
            sup.child_spec("childx")

        child1 = await sup.start_child(case.child("child1"))
        child2 = await sup.start_child(case.child("child2"))
        told = [(c.name, c.ref, c.kind, c.state.value) for c in sup.which_children()]
        assert told == [
            ("child1", child1, "worker", "running"),
            ("child2", child2, "worker", "running"),
        ]
        assert sup.child_spec("child1").name == "child1"
        assert sup.child_spec(child2).name == "child2"

        await sup.terminate_child("child1")
        assert states(sup) == {"child1": "idle", "child2": "running"}
        assert sup.child_spec("child1").name == "child1"

        await sup.delete_child("child1")
        assert states(sup) == {"child2": "running"}
        with pytest.raises(ChildNotFound):
            sup.child_spec("child1")

    run(main)


def test_which_children_simple_one_for_one() -> None:
    async def main(case: Case) -> None:
        template = case.child("child", restart="temporary")
        sup = await case.supervisor(template, strategy="simple_one_for_one")
        assert sup.which_children() == ()
        with pytest.raises(ChildNotFound):
            sup.child_spec("child")

        child1 = await sup.start_child_with()
        child2 = await sup.start_child_with()
        assert [child.ref for child in sup.which_children()] == [child1, child2]
        assert sup.child_spec(child1).name == child1.name != child2.name

        await sup.terminate_child(child1)
        assert [child.ref for child in sup.which_children()] == [child2]
        with pytest.raises(ChildNotFound):
            sup.child_spec(child1)
        assert sup.child_spec(child2).name == child2.name

    run(main)


def test_child_unlink(caplog: pytest.LogCaptureFixture) -> None:
    """A child that will not let itself be stopped holds up nobody but who waits for its end."""

    async def main(case: Case) -> None:
        sup = await case.supervisor()
        naughty = await sup.start_child(case.child("naughty_child", shutdown=1.0))
        await case.does(naughty, Sleep(60.0, stubbornly=True))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sup.terminate_child, "naughty_child")
            await trio.sleep(5.0)
            assert states(sup) == {"naughty_child": "stopping"}
            began = trio.current_time()
            other = await sup.start_child(case.child("other"))
            assert await case.pid(other)
            await sup.terminate_child("other")
            assert trio.current_time() == began
            assert not await case.down(naughty)
        assert states(sup) == {"naughty_child": "idle", "other": "idle"}
        assert trio.current_time() == pytest.approx(60.0)
        assert "-naughty_child killed" in case.journal.read()

    run(main)
    assert any("/sup/naughty_child does not stop" in record.getMessage() for record in caplog.records)
