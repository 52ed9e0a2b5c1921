"""Group significant: supervisors that end because their significant children did."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from aip_trio.actors import ActorRef, ChildSpec, RestartType, Supervisor, SupervisorRef
from aip_trio.actors._supervisor import AutoShutdownName, StrategyName
from aip_trio.errors import InvalidSpec
from tests.actors.otp._case import Case, as_supervisor, run, states
from tests.actors.otp._children import Die, Kill, Stop

MODES: tuple[AutoShutdownName, ...] = ("never", "any_significant", "all_significant")
STRATEGIES: tuple[StrategyName, ...] = ("one_for_one", "one_for_all", "rest_for_one")
TRANSIENT, TEMPORARY = RestartType.TRANSIENT, RestartType.TEMPORARY


async def start_three(
    case: Case, restart: RestartType, mode: AutoShutdownName
) -> tuple[SupervisorRef, list[ActorRef]]:
    """A supervisor with two significant children and one that is not."""
    sup = await case.supervisor(intensity=5, auto_shutdown=mode)
    children = [
        await sup.start_child(case.child(f"child{n}", restart=restart, significant=n < 3)) for n in (1, 2, 3)
    ]
    case.journal.read()
    return sup, children


async def ended_in_order(case: Case, sup: SupervisorRef) -> bool:
    """Whether it has shut itself down: a normal end, with nothing left of it."""
    if not await case.down(sup):
        return False
    assert case.crash(sup) is None
    assert case.journal.alive == {}
    return True


def test_nonsignificant_temporary() -> None:
    async def main(case: Case) -> None:
        for mode in MODES:
            sup = await case.supervisor(auto_shutdown=mode)
            spec = case.child("child1", restart=TEMPORARY, significant=False)
            await sup.start_child(spec)
            await sup.terminate_child("child1")
            assert not await case.down(sup)
            for message in (Kill(), Die(), Stop()):
                child = await sup.start_child(spec)
                await case.does(child, message)
                assert await case.down(child)
                assert not await case.down(sup)
            await sup.stop()

    run(main)


def test_nonsignificant_transient() -> None:
    async def main(case: Case) -> None:
        for mode in MODES:
            sup = await case.supervisor(intensity=5, auto_shutdown=mode)
            child = await sup.start_child(case.child("child1", restart=TRANSIENT, significant=False))
            await sup.terminate_child("child1")
            assert not await case.down(sup)
            await sup.restart_child("child1")
            for message in (Kill(), Die()):
                await case.does(child, message)
                assert states(sup) == {"child1": "running"}
            await case.does(child, Stop())
            assert await case.down(child)
            assert not await case.down(sup)
            await sup.stop()

    run(main)


def test_significant_temporary() -> None:
    async def main(case: Case) -> None:
        # terminated by a call: not an end of its own
        sup, children = await start_three(case, TEMPORARY, "any_significant")
        await sup.terminate_child("child1")
        assert not await case.down(sup)
        assert states(sup) == {"child2": "running", "child3": "running"}
        await sup.stop()

        for message, reason in ((Kill(), "died"), (Die(), "died"), (Stop(), "normal")):
            sup, children = await start_three(case, TEMPORARY, "any_significant")
            await case.does(children[0], message)
            assert case.journal.read() == [f"-child1 {reason}", "-child3 shutdown", "-child2 shutdown"]
            assert await ended_in_order(case, sup)

        sup, children = await start_three(case, TEMPORARY, "all_significant")
        await case.does(children[0], Stop())
        assert not await case.down(sup)
        assert states(sup) == {"child2": "running", "child3": "running"}
        await case.does(children[1], Stop())
        assert case.journal.read() == ["-child1 normal", "-child2 normal", "-child3 shutdown"]
        assert await ended_in_order(case, sup)

    run(main)


def test_significant_transient() -> None:
    async def main(case: Case) -> None:
        sup, children = await start_three(case, TRANSIENT, "any_significant")
        await sup.terminate_child("child1")
        assert not await case.down(sup)
        assert states(sup) == {"child1": "idle", "child2": "running", "child3": "running"}
        await sup.restart_child("child1")

        # a crash is restarted, and so no end
        for message in (Kill(), Die()):
            case.journal.read()
            await case.does(children[0], message)
            assert case.journal.read() == ["-child1 died", "+child1"]
            assert not await case.down(sup)

        await case.does(children[0], Stop())
        assert case.journal.read() == ["-child1 normal", "-child3 shutdown", "-child2 shutdown"]
        assert await ended_in_order(case, sup)

        sup, children = await start_three(case, TRANSIENT, "all_significant")
        await case.does(children[0], Stop())
        assert not await case.down(sup)
        assert states(sup) == {"child1": "idle", "child2": "running", "child3": "running"}
        await case.does(children[1], Stop())
        assert case.journal.read() == ["-child1 normal", "-child2 normal", "-child3 shutdown"]
        assert await ended_in_order(case, sup)

    run(main)


def test_significant_simple() -> None:
    """Combined with simple_one_for_one, an automatic shutdown is refused."""

    async def main(case: Case) -> None:
        for mode in MODES[1:]:
            with pytest.raises(InvalidSpec) as refused:
                Supervisor(case.child("child1"), strategy="simple_one_for_one", auto_shutdown=mode)
            assert (refused.value.field, refused.value.value) == ("auto_shutdown", mode)
        significant = case.child("child1", restart=TEMPORARY, significant=True)
        with pytest.raises(InvalidSpec) as refused:
            await case.supervisor(significant, strategy="simple_one_for_one")
        assert (refused.value.field, refused.value.value) == ("significant", True)

        sup = await case.supervisor(
            case.child("child1"), strategy="simple_one_for_one", auto_shutdown="never"
        )
        await sup.stop()
        assert await ended_in_order(case, sup)

    run(main)


def test_significant_bystander() -> None:
    """Stopped because of a sibling, or restarted with it: that is no end of its own."""
    expected = {
        "one_for_one": ["-child2 died", "+child2"],
        "one_for_all": [
            "-child2 died", "-child3 shutdown", "-child1 shutdown", "+child1", "+child2", "+child3",
        ],
        "rest_for_one": ["-child2 died", "-child3 shutdown", "+child2", "+child3"],
    }  # fmt: skip

    async def main(case: Case) -> None:
        for strategy, mode in itertools.product(STRATEGIES, MODES[1:]):
            sup = await case.supervisor(strategy=strategy, intensity=5, auto_shutdown=mode)
            for n in (1, 2, 3):
                await sup.start_child(case.child(f"child{n}", restart=TRANSIENT, significant=n != 2))
            case.journal.read()
            await case.does(sup.which_children()[1].ref, Kill())
            assert case.journal.read() == expected[strategy]
            assert not await case.down(sup)
            assert set(states(sup).values()) == {"running"}
            await sup.stop()

    run(main)


@pytest.mark.parametrize("significant", [True, False])
def test_significant_escalation(significant: bool) -> None:
    """The end of a supervisor is a significant one if the supervisor is significant itself."""

    async def main(case: Case) -> None:
        sup = await case.supervisor(auto_shutdown="any_significant")
        options: Any = {"restart": TRANSIENT, "significant": significant}
        inner_factory = case.factory(auto_shutdown="any_significant")
        inner = as_supervisor(await sup.start_child(ChildSpec("sup1", inner_factory, **options)))
        child = await inner.start_child(case.child("child1", restart=TRANSIENT, significant=True))
        await case.does(child, Stop())
        assert await case.down(inner)
        assert case.crash(inner) is None
        assert await ended_in_order(case, sup) == significant
        if not significant:
            assert states(sup) == {"sup1": "idle"}

    run(main)
