"""What a supervisor keeps of a child that has ended."""

from __future__ import annotations

import gc
import itertools
import logging
import weakref

import pytest

from aip_trio.actors import ActorRef, ChildSpec, RestartType, SupervisorRef
from aip_trio.actors._supervisor import StrategyName
from aip_trio.errors import ChildAlreadyPresent, ChildAlreadyStarted
from tests.actors.otp._case import Case, run, states
from tests.actors.otp._children import Carrying, Die, Kill, Stop

STRATEGIES: tuple[StrategyName, ...] = ("one_for_one", "one_for_all", "rest_for_one")
PERMANENT, TRANSIENT, TEMPORARY = RestartType.PERMANENT, RestartType.TRANSIENT, RestartType.TEMPORARY
#: How a child is made to end: by a message, or (None) by its supervisor.
ENDS = {"kill": Kill(), "normal": Stop(), "abnormal": Die(), "supervisor": None}


class Load:
    """Something large that a child is started with."""


async def start_loaded(
    case: Case, sup: SupervisorRef, strategy: StrategyName, restart: RestartType
) -> weakref.ref[Load]:
    """Start a child with a load; what is left of that load outside of the supervisor."""
    load = Load()
    if strategy == "simple_one_for_one":
        await sup.start_child_with(load, name="child")
    else:
        await sup.start_child(case.child("child", Carrying, load, restart=restart))
    return weakref.ref(load)


@pytest.mark.parametrize("strategy", [*STRATEGIES, "simple_one_for_one"])
def test_do_not_save_start_parameters_for_temporary_children(
    strategy: StrategyName, caplog: pytest.LogCaptureFixture
) -> None:
    """Here they are kept while the child runs, and go with it; OTP's supervisor never has them."""
    # an error that is logged, or told as an event, holds the frames of the actor that crashed
    caplog.set_level(logging.CRITICAL, logger="aip_trio.actors")

    async def main(case: Case) -> None:
        kept = {}
        for restart in (PERMANENT, TRANSIENT, TEMPORARY):
            template = [case.child("child", Carrying, restart=restart)]
            specs = template if strategy == "simple_one_for_one" else []
            sup = await case.supervisor(*specs, strategy=strategy, name=restart.value)
            load = await start_loaded(case, sup, strategy, restart)
            await case.does(sup.which_children()[0].ref, Die())
            case.events.clear()
            gc.collect()
            kept[restart] = load() is not None
        assert kept == {PERMANENT: True, TRANSIENT: True, TEMPORARY: False}

    run(main)


async def ends(case: Case, sup: SupervisorRef, child: ActorRef, how: str) -> None:
    if how == "supervisor":
        await sup.terminate_child(child)
    else:
        await case.does(child, ENDS[how])


@pytest.mark.parametrize(("strategy", "how"), list(itertools.product(STRATEGIES, ENDS)))
def test_do_not_save_child_specs_for_temporary_children(strategy: StrategyName, how: str) -> None:
    async def main(case: Case) -> None:
        sup = await case.supervisor(strategy=strategy)

        async def start_and_end(spec: ChildSpec) -> ActorRef:
            child = await sup.start_child(spec)
            await ends(case, sup, child, how)
            return child

        for spec, rests_after in (
            (case.child("child1", restart=PERMANENT), {"supervisor"}),
            (case.child("child2", restart=TRANSIENT), {"supervisor", "normal"}),
        ):
            child = await start_and_end(spec)
            if how in rests_after:
                with pytest.raises(ChildAlreadyPresent):
                    await sup.start_child(spec)
                assert await sup.restart_child(spec.name) == child
            else:  # its supervisor has restarted it
                with pytest.raises(ChildAlreadyStarted):
                    await sup.start_child(spec)
            assert await case.pid(child)

        temporary = case.child("child3", restart=TEMPORARY)
        child = await start_and_end(temporary)
        assert await sup.start_child(temporary) != child
        assert states(sup) == dict.fromkeys(("child1", "child2", "child3"), "running")

    run(main)
