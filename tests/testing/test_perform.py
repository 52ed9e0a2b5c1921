from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

import pytest
import trio
from hypothesis import given

from aip_trio.errors import IllegalTransition
from aip_trio.machine import Machine
from aip_trio.testing import Mismatch, every_edge, perform_walk, perform_walk_async, run_walk, walks
from tests.machine.doors import DOOR, Door, Push
from tests.testing.subjects import (
    WRONG,
    Brittle,
    HangingDoor,
    Lenient,
    Misleading,
    Obstinate,
    RealDoor,
    Sloppy,
    Stuck,
    open_hanging,
    open_slow,
)

REFUSALS = (Stuck,)


@given(walks(DOOR))
def test_a_tracker_behaves_like_its_machine(walk: tuple[Push, ...]) -> None:
    perform_walk(DOOR, DOOR.start(), walk)


@given(walks(DOOR))
def test_a_right_object_passes_every_walk(walk: tuple[Push, ...]) -> None:
    door = RealDoor()
    perform_walk(DOOR, door, walk, refusals=REFUSALS)
    tracker = DOOR.start()
    for event in walk:
        if tracker.can(event):
            tracker.fire(event)
    assert door.state is tracker.state  # the walk was really performed


@given(walks(DOOR, max_steps=20))
def test_a_right_object_on_trio_passes_every_walk(walk: tuple[Push, ...]) -> None:
    run_walk(DOOR, open_slow(RealDoor), walk, refusals=REFUSALS)


@pytest.mark.parametrize("wrong", WRONG)
def test_walking_every_edge_finds_a_planted_bug(wrong: type[RealDoor]) -> None:
    with pytest.raises(Mismatch):
        for edge in every_edge(DOOR):
            perform_walk(DOOR, wrong(), edge.walk, refusals=REFUSALS)


@pytest.mark.parametrize("wrong", WRONG)
def test_walking_every_edge_on_trio_finds_a_planted_bug(wrong: type[RealDoor]) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        for edge in every_edge(DOOR):
            run_walk(DOOR, open_slow(wrong), edge.walk, refusals=REFUSALS)
    assert raised.group_contains(Mismatch)


def test_a_wrong_state_is_told_with_the_way_to_it() -> None:
    with pytest.raises(Mismatch) as raised:
        perform_walk(
            DOOR, Misleading(), [Push.OPEN, Push.LOCK, Push.SHUT, Push.LOCK, Push.UNLOCK], refusals=REFUSALS
        )
    error = raised.value
    assert (error.machine, error.expected, error.actual) == ("door", Door.SHUT, Door.OPEN)
    assert error.events == (Push.OPEN, Push.LOCK, Push.SHUT, Push.LOCK, Push.UNLOCK)
    assert str(error).splitlines() == [
        "machine 'door': wrong state after legal event UNLOCK",
        "  expected state: Door.SHUT",
        "  actual state:   Door.OPEN",
        "  events so far, by the table:",
        "    1. SHUT -- OPEN --> OPEN",
        "    2. OPEN -- LOCK refused",
        "    3. OPEN -- SHUT --> SHUT",
        "    4. SHUT -- LOCK --> LOCKED",
        "    5. LOCKED -- UNLOCK --> SHUT",
    ]


def test_an_accepted_illegal_event_is_told_even_when_the_state_is_right() -> None:
    with pytest.raises(
        Mismatch, match="illegal event LOCK in state OPEN was accepted, without Stuck"
    ) as raised:
        perform_walk(DOOR, Lenient(), [Push.OPEN, Push.LOCK], refusals=REFUSALS)
    assert raised.value.actual is raised.value.expected is Door.OPEN


def test_a_refused_legal_event_is_told_with_the_refusal_as_its_cause() -> None:
    with pytest.raises(Mismatch, match="legal event REMOVE in state OPEN was refused: Stuck") as raised:
        perform_walk(DOOR, Obstinate(), [Push.OPEN, Push.REMOVE], refusals=REFUSALS)
    assert isinstance(raised.value.__cause__, Stuck)
    assert (raised.value.expected, raised.value.actual) == (Door.GONE, Door.OPEN)


def test_a_refusal_that_changes_the_state_is_told() -> None:
    with pytest.raises(Mismatch, match=r"wrong state after illegal \(and refused\) event OPEN"):
        perform_walk(DOOR, Sloppy(), [Push.LOCK, Push.OPEN], refusals=REFUSALS)


def test_a_wrong_initial_state_is_told_before_any_event() -> None:
    door = RealDoor()
    door.fire(Push.OPEN)
    with pytest.raises(Mismatch, match="wrong initial state") as raised:
        perform_walk(DOOR, door, [Push.SHUT], refusals=REFUSALS)
    assert raised.value.events == ()
    assert str(raised.value).endswith("by the table:\n    none")


def test_an_equal_member_of_another_enum_is_another_state() -> None:
    class Lamp(StrEnum):
        OFF = "off"

    class Alike(StrEnum):
        OFF = "off"

    class Impostor:
        state: Any = Alike.OFF

        def fire(self, event: Push) -> None: ...

    lamp = Machine("lamp", initial=Lamp.OFF, table={Lamp.OFF: {Push.SHUT: Lamp.OFF}})
    with pytest.raises(Mismatch, match=r"actual state:   Alike.OFF"):
        perform_walk(lamp, Impostor(), [])


def test_an_exception_that_is_no_refusal_goes_through_with_the_events_so_far() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        perform_walk(DOOR, Brittle(), [Push.LOCK, Push.UNLOCK], refusals=REFUSALS)
    (note,) = raised.value.__notes__
    assert note.splitlines() == [
        "machine 'door', firing UNLOCK",
        "  events so far, by the table:",
        "    1. SHUT -- LOCK --> LOCKED",
        "    2. LOCKED -- UNLOCK --> SHUT",
    ]


def test_an_undeclared_refusal_is_no_refusal() -> None:
    with pytest.raises(Stuck):
        perform_walk(DOOR, RealDoor(), [Push.SHUT])


def test_a_hang_is_told_with_the_event_that_hangs() -> None:
    with pytest.raises(Mismatch, match=r"event UNLOCK hangs: nothing within patience=5 s") as raised:
        run_walk(DOOR, open_hanging, [Push.OPEN, Push.SHUT, Push.LOCK, Push.UNLOCK, Push.OPEN], patience=5)
    assert raised.value.events == (Push.OPEN, Push.SHUT, Push.LOCK, Push.UNLOCK)
    assert "actual state:   unknown" in str(raised.value)


def test_a_subject_that_does_not_open_is_too_slow() -> None:
    @asynccontextmanager
    async def never() -> AsyncGenerator[HangingDoor]:
        await trio.sleep_forever()
        yield HangingDoor()

    with pytest.raises(trio.TooSlowError):
        run_walk(DOOR, never, [Push.OPEN])


def test_the_subjects_own_timeout_is_not_taken_for_a_hang() -> None:
    class Impatient(HangingDoor):
        async def fire(self, event: Push) -> None:
            with trio.fail_after(1):
                await trio.sleep_forever()

    @asynccontextmanager
    async def opened() -> AsyncGenerator[HangingDoor]:
        await trio.lowlevel.checkpoint()
        yield Impatient()

    with pytest.raises(trio.TooSlowError) as raised:
        run_walk(DOOR, opened, [Push.OPEN])
    assert "firing OPEN" in raised.value.__notes__[0]


def test_the_subject_is_closed_after_the_walk_and_after_a_mismatch() -> None:
    closed: list[str] = []

    @asynccontextmanager
    async def opened() -> AsyncGenerator[HangingDoor]:
        await trio.lowlevel.checkpoint()
        try:
            yield HangingDoor()
        finally:
            closed.append("closed")

    run_walk(DOOR, opened, [Push.OPEN])
    with pytest.raises(Mismatch):
        run_walk(DOOR, opened, [Push.LOCK, Push.UNLOCK])
    assert closed == ["closed", "closed"]


def test_a_subject_may_have_a_plain_state_and_refuse_with_illegal_transition() -> None:
    async def main() -> None:
        door = HangingDoor()
        await perform_walk_async(DOOR, door, [Push.SHUT, Push.OPEN, Push.LOCK])
        assert door.state is Door.OPEN
        with pytest.raises(IllegalTransition):
            await door.fire(Push.LOCK)

    trio.run(main)
