"""What is restarted with a child, and how often before its supervisor gives up."""

from __future__ import annotations

import trio

from aip_trio.actors import ActorRef, Escalated, SupervisorRef
from aip_trio.actors._supervisor import StrategyName
from aip_trio.errors import RestartIntensityExceeded
from tests.actors.otp._case import Case, counts, run, states
from tests.actors.otp._children import Asking, Die, Died, Door, OnceOnly, Switch


async def gave_up(case: Case, sup: SupervisorRef, child: str, *, intensity: int) -> None:
    """Check that it has: here that is a crash, where OTP's exits with `shutdown`."""
    assert await case.down(sup)
    error = case.crash(sup)
    assert isinstance(error, RestartIntensityExceeded)
    assert (error.supervisor, error.child, error.intensity) == (sup.path, child, intensity)
    assert len(error.causes) == intensity + 1
    assert all(isinstance(cause, Died) for cause in error.causes)
    assert case.told(Escalated) == [sup.path]
    assert case.journal.alive == {}


async def pids(case: Case, *refs: ActorRef) -> list[int]:
    return [await case.pid(ref) for ref in refs]


def test_multiple_restarts() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(intensity=1, period=1.0)
        child = await sup.start_child(case.child("child1", shutdown="brutal"))
        seen: set[int] = set()
        for _ in range(4):
            seen.add(await case.pid(child))
            await case.does(child, Die())
            await trio.sleep(2.1)
        assert len(seen) == 4
        await sup.terminate_child("child1")
        await sup.delete_child("child1")
        assert not await case.down(sup)

        # and no more than one in each period
        child = await sup.start_child(case.child("child1"))
        await case.does(child, Die())
        await trio.sleep(0.9)
        await case.does(child, Die())
        await gave_up(case, sup, "child1", intensity=1)

    run(main)


def test_one_for_one() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(strategy="one_for_one")
        child1 = await sup.start_child(case.child("child1"))
        child2 = await sup.start_child(case.child("child2"))
        case.journal.read()
        before = await pids(case, child1, child2)
        await case.does(child1, Die())
        after = await pids(case, child1, child2)
        assert after[0] != before[0]
        assert after[1] == before[1]
        assert case.journal.read() == ["-child1 died", "+child1"]
        assert counts(sup) == [2, 2, 0, 2]

        # the limit is the supervisor's, not each child's
        await case.does(child2, Die())
        assert case.journal.read() == ["-child2 died", "+child2"]
        await case.does(child1, Die())
        assert case.journal.read() == ["-child1 died", "-child2 shutdown"]
        await gave_up(case, sup, "child1", intensity=2)

    run(main)


def test_one_for_one_escalation() -> None:
    async def main(case: Case) -> None:
        sup, switch = await case.supervisor(strategy="one_for_one", intensity=4), Switch()
        child1 = await sup.start_child(case.child("child1", OnceOnly, switch))
        child2 = await sup.start_child(case.child("child2"))
        case.journal.read()
        await case.does(child1, Die())
        assert switch.attempts == 5  # each that fails counts as one more restart
        await gave_up(case, sup, "child1", intensity=4)
        assert await case.down(child2)
        assert case.journal.read() == ["-child1 died", "-child2 shutdown"]

    run(main)


def test_one_for_all() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(strategy="one_for_all")
        child1 = await sup.start_child(case.child("child1"))
        child2 = await sup.start_child(case.child("child2"))
        case.journal.read()
        before = await pids(case, child1, child2)
        await case.does(child1, Die())
        assert case.journal.read() == ["-child1 died", "-child2 shutdown", "+child1", "+child2"]
        after = await pids(case, child1, child2)
        assert set(before).isdisjoint(after)
        assert sorted(case.journal.alive) == sorted(after)  # no old child is left
        assert counts(sup) == [2, 2, 0, 2]

        await case.does(child2, Die())  # a group's restart counts once
        assert case.journal.read() == ["-child2 died", "-child1 shutdown", "+child1", "+child2"]
        await case.does(child1, Die())
        assert case.journal.read() == ["-child1 died", "-child2 shutdown"]
        await gave_up(case, sup, "child1", intensity=2)

    run(main)


def test_one_for_all_escalation() -> None:
    async def main(case: Case) -> None:
        sup, switch = await case.supervisor(strategy="one_for_all", intensity=4), Switch()
        child1 = await sup.start_child(case.child("child1"))
        await sup.start_child(case.child("child2", OnceOnly, switch))
        case.journal.read()
        await case.does(child1, Die())
        assert switch.attempts == 5
        await gave_up(case, sup, "child2", intensity=4)
        assert case.journal.read() == [
            "-child1 died", "-child2 shutdown", *["+child1", "-child1 shutdown"] * 4,
        ]  # fmt: skip

    run(main)


async def restart_with_one_failure(case: Case, strategy: StrategyName) -> list[str]:
    """Have child1 die and child2 fail once to come again; what happened after that failure."""
    door = Door()
    specs = [case.child(name, Asking, door) for name in ("child1", "child2")]

    async def admit(name: str, error: Exception | None = None) -> None:
        knock = await door.next()
        assert knock.name == name
        knock.answer(error)

    async def admit_both() -> None:
        await admit("child1")
        await admit("child2")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(admit_both)
        sup = await case.supervisor(*specs, strategy=strategy, intensity=3)
    child1 = sup.which_children()[0].ref
    await case.does(child1, Die())
    await admit("child1")
    await case.settle()
    case.journal.read()
    await admit("child2", Died())
    with trio.move_on_after(1.0):
        while True:
            (await door.next()).answer()
    assert states(sup) == {"child1": "running", "child2": "running"}
    return case.journal.read()


def test_one_for_all_other_child_fails_restart() -> None:
    async def main(case: Case) -> None:
        told = await restart_with_one_failure(case, "one_for_all")
        assert told == ["-child1 shutdown", "+child1", "+child2"]

    run(main)


def test_rest_for_one_other_child_fails_restart() -> None:
    async def main(case: Case) -> None:
        told = await restart_with_one_failure(case, "rest_for_one")
        assert told == ["+child2"]

    run(main)


def test_rest_for_one() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(strategy="rest_for_one")
        refs = [await sup.start_child(case.child(f"child{n}")) for n in (1, 2, 3)]
        child2, child3 = refs[1:]
        assert counts(sup) == [3, 3, 0, 3]
        case.journal.read()
        before = await pids(case, *refs)
        await case.does(child2, Die())
        assert case.journal.read() == ["-child2 died", "-child3 shutdown", "+child2", "+child3"]
        after = await pids(case, *refs)
        assert after[0] == before[0]
        assert set(before[1:]).isdisjoint(after[1:])
        assert sorted(case.journal.alive) == sorted(after)
        assert counts(sup) == [3, 3, 0, 3]

        await case.does(child3, Die())
        assert case.journal.read() == ["-child3 died", "+child3"]
        await case.does(child2, Die())
        assert case.journal.read() == ["-child2 died", "-child3 shutdown", "-child1 shutdown"]
        await gave_up(case, sup, "child2", intensity=2)

    run(main)


def test_rest_for_one_escalation() -> None:
    async def main(case: Case) -> None:
        sup, switch = await case.supervisor(strategy="rest_for_one", intensity=4), Switch()
        child1 = await sup.start_child(case.child("child1"))
        await sup.start_child(case.child("child2", OnceOnly, switch))
        case.journal.read()
        await case.does(child1, Die())
        # child1 is up again, and stays, while child2 is tried over and over
        assert switch.attempts == 5
        assert case.journal.read() == ["-child1 died", "-child2 shutdown", "+child1", "-child1 shutdown"]
        await gave_up(case, sup, "child2", intensity=4)

    run(main)


def test_simple_one_for_one() -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(case.child("child"), strategy="simple_one_for_one")
        child1 = await sup.start_child_with(name="child1")
        child2 = await sup.start_child_with(name="child2")
        before = await pids(case, child1, child2)
        await case.does(child1, Die())
        after = await pids(case, child1, child2)
        assert after[0] != before[0]
        assert after[1] == before[1]
        assert [child.ref for child in sup.which_children()] == [child1, child2]
        assert counts(sup) == [2, 2, 0, 2]

        await case.does(child2, Die())
        await case.does(child1, Die())
        await gave_up(case, sup, "child1", intensity=2)

    run(main)
