import re
from contextlib import AbstractAsyncContextManager

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from aip_trio.testing import AsyncMachineStateMachine, MachineStateMachine, Mismatch
from tests.machine.doors import DOOR, Door, Push
from tests.testing.subjects import Misleading, RealDoor, SlowDoor, Stuck, open_slow

FEW = settings(max_examples=100, stateful_step_count=15, database=None, derandomize=True)


class Walk(MachineStateMachine[Door, Push]):
    machine = DOOR
    refusals: tuple[type[Exception], ...] = (Stuck,)

    def open_subject(self) -> RealDoor:
        return RealDoor()


class AsyncWalk(AsyncMachineStateMachine[Door, Push]):
    machine = DOOR
    refusals: tuple[type[Exception], ...] = (Stuck,)

    def open_subject(self) -> AbstractAsyncContextManager[SlowDoor]:
        return open_slow(RealDoor)()


TestWalk = Walk.TestCase
TestAsyncWalk = AsyncWalk.TestCase
TestAsyncWalk.settings = settings(TestAsyncWalk.settings, max_examples=20)


def test_a_failing_walk_shrinks_to_the_steps_that_matter() -> None:
    class Wrong(Walk):
        def open_subject(self) -> RealDoor:
            return Misleading()

    with pytest.raises(Mismatch) as raised:
        run_state_machine_as_test(Wrong, settings=FEW)
    assert raised.value.events == (Push.LOCK, Push.UNLOCK)
    notes = "\n".join(raised.value.__notes__)
    assert re.findall(r"state\.\w+\(event=.*\)", notes) == [
        "state.legal(event=Push.LOCK)",
        "state.legal(event=Push.UNLOCK)",
    ]


def test_random_walks_try_every_edge_of_a_small_machine() -> None:
    tried: set[tuple[Door, Push]] = set()

    class Logged(Walk):
        def step(self, event: Push) -> None:
            tried.add((self.subject.state, event))
            super().step(event)

    run_state_machine_as_test(Logged, settings=FEW)
    assert tried == {(state, event) for state in Door for event in Push}


def test_rules_and_invariants_can_be_added() -> None:
    seen: list[Door] = []

    class More(Walk):
        @invariant()
        def never_gone(self) -> None:
            assert self.subject.state is not Door.GONE

    with pytest.raises(AssertionError) as raised:
        run_state_machine_as_test(More, settings=FEW)
    assert not isinstance(raised.value, Mismatch)

    class AsyncMore(AsyncWalk):
        @precondition(lambda self: not self.referee.legal)
        @rule()
        def look(self) -> None:
            async def state() -> Door:
                found = self.subject.state
                return found if isinstance(found, Door) else await found

            seen.append(self.call(state))

    run_state_machine_as_test(AsyncMore, settings=FEW)
    assert set(seen) == {Door.GONE}


def test_a_walk_that_defines_no_subject_says_so() -> None:
    class Bare(MachineStateMachine[Door, Push]):
        machine = DOOR

    class AsyncBare(AsyncMachineStateMachine[Door, Push]):
        machine = DOOR

    with pytest.raises(NotImplementedError, match=r"Bare must define open_subject\(\)"):
        run_state_machine_as_test(Bare, settings=FEW)
    with pytest.raises(NotImplementedError, match=r"AsyncBare must define open_subject\(\)"):
        run_state_machine_as_test(AsyncBare, settings=FEW)


def test_an_async_call_before_the_object_is_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="no object is open yet"):
        AsyncWalk().call(open_slow(RealDoor)().__aenter__)
