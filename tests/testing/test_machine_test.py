import io
import unittest
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import hypothesis
import pytest

from aip_trio.testing import async_machine_test, machine_test
from tests.machine.doors import DOOR
from tests.testing.subjects import WRONG, RealDoor, SlowDoor, Stuck, open_hanging, open_slow

FEW = hypothesis.settings(max_examples=20, stateful_step_count=15, database=None, derandomize=True)

TestTracker = machine_test(DOOR, DOOR.start, settings=FEW)
TestRealDoor = machine_test(DOOR, RealDoor, refusals=(Stuck,), settings=FEW)
TestSlowDoor = async_machine_test(DOOR, open_slow(RealDoor), refusals=(Stuck,), settings=FEW)


def report(case: type[unittest.TestCase], method: str) -> str:
    """What unittest prints of one failing method of a case."""
    stream = io.StringIO()
    result = unittest.TextTestRunner(stream=stream).run(unittest.TestSuite([case(method)]))
    assert not result.wasSuccessful()
    return stream.getvalue()


def test_a_case_has_a_deterministic_and_a_random_test() -> None:
    names = unittest.defaultTestLoader.getTestCaseNames(TestTracker)
    assert names == ["test_every_edge", "test_random_walks"]


@pytest.mark.parametrize("method", ["test_every_edge", "test_random_walks"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_planted_bug_is_found(wrong: type[RealDoor], method: str) -> None:
    case = machine_test(DOOR, wrong, refusals=(Stuck,), settings=hypothesis.settings(FEW, max_examples=200))
    assert "Mismatch: machine 'door'" in report(case, method)


@pytest.mark.parametrize("method", ["test_every_edge", "test_random_walks"])
def test_a_planted_bug_is_found_on_trio(method: str) -> None:
    case = async_machine_test(DOOR, open_slow(WRONG[0]), refusals=(Stuck,), settings=FEW)
    text = report(case, method)
    assert "Mismatch: machine 'door': wrong state after legal event UNLOCK" in text
    assert "1. SHUT -- LOCK --> LOCKED" in text


@pytest.mark.parametrize("method", ["test_every_edge", "test_random_walks"])
def test_a_hang_is_found_on_trio(method: str) -> None:
    case = async_machine_test(DOOR, open_hanging, patience=5, settings=FEW)
    assert "event UNLOCK hangs: nothing within patience=5 s" in report(case, method)


def test_every_failing_edge_is_reported_by_its_name() -> None:
    text = report(machine_test(DOOR, RealDoor), "test_every_edge")  # refusals= left out
    assert "(edge='SHUT-SHUT-refused')" in text
    assert "(edge='GONE-OPEN-refused')" in text


def test_random_walks_make_a_fresh_object_for_each_walk_and_close_it() -> None:
    opened: list[SlowDoor] = []
    closed: list[SlowDoor] = []

    @asynccontextmanager
    async def logged() -> AsyncGenerator[SlowDoor]:
        async with open_slow(RealDoor)() as door:
            opened.append(door)
            yield door
        closed.append(door)

    case = async_machine_test(DOOR, logged, refusals=(Stuck,), settings=FEW)
    assert unittest.TestSuite([case("test_random_walks")]).run(unittest.TestResult()).wasSuccessful()
    assert len(opened) >= 20
    assert opened == closed
