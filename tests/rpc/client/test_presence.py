"""PresenceDetector beside its machine, and beside a plain account of when heartbeats came."""

import itertools
import math

import attrs
import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import open_system
from aip_trio.rpc import (
    PRESENCE_MACHINE,
    ApiTopic,
    Heartbeat,
    PresenceEvent,
    PresenceState,
)
from aip_trio.rpc.client._presence import PresenceDetector
from aip_trio.rpc.client._presence_keeper import Beat, PresenceBoard, PresenceChanges, PresenceKeeper
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint, machine_test

BEAT = Heartbeat(ApiTopic.HEARTBEAT, {}, None, None, "dev", "1", 5.0, None)


class NoCause(Exception):
    """Nothing that can happen to a service in this state has this effect."""


class RealDetector:
    """A detector with a clock; each event by what causes it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.detector = PresenceDetector(self.now)

    @property
    def state(self) -> PresenceState:
        return self.detector.presence.state

    def fire(self, event: PresenceEvent) -> None:
        if event is PresenceEvent.HEARTBEAT:
            self.detector.heard(BEAT, self.now)
            return
        due = {PresenceState.PRESENT: PresenceEvent.MISS, PresenceState.MISSING: PresenceEvent.GIVE_UP}
        if due.get(self.state) is not event:
            raise NoCause
        self.now = self.detector.wake
        self.detector.tick(self.now)


TestDetector = machine_test(PRESENCE_MACHINE, RealDetector, refusals=(NoCause,))


def at(detector: PresenceDetector, now: float) -> PresenceState:
    detector.tick(now)
    return detector.presence.state


def test_a_service_is_missing_after_two_intervals_and_gone_after_five() -> None:
    detector = PresenceDetector(0.0)
    assert at(detector, 9.0) is PresenceState.UNKNOWN
    assert detector.wake == math.inf
    assert detector.heard(BEAT, 10.0)
    assert at(detector, 19.9) is PresenceState.PRESENT
    assert at(detector, 20.0) is PresenceState.MISSING
    assert detector.presence.since == 20.0
    assert at(detector, 34.9) is PresenceState.MISSING
    assert at(detector, 35.0) is PresenceState.GONE
    assert detector.wake == math.inf
    assert detector.heard(BEAT, 100.0)
    assert detector.presence.state is PresenceState.PRESENT
    assert detector.presence.heartbeat is BEAT


def test_who_looks_late_finds_what_he_would_have_found_in_time() -> None:
    detector = PresenceDetector(0.0)
    detector.heard(BEAT, 10.0)
    assert at(detector, 1000.0) is PresenceState.GONE
    assert detector.presence.since == 35.0


def test_the_interval_is_learnt() -> None:
    detector = PresenceDetector(0.0)
    for now in (0.0, 1.0, 2.0, 3.0):
        detector.heard(BEAT, now)
    assert detector.presence.interval == 1.0
    assert at(detector, 4.9) is PresenceState.PRESENT
    assert at(detector, 5.0) is PresenceState.MISSING


def test_a_slow_service_is_learnt_from_its_second_heartbeat() -> None:
    detector = PresenceDetector(0.0)
    detector.heard(BEAT, 0.0)
    assert at(detector, 29.0) is PresenceState.GONE
    detector.heard(BEAT, 30.0)
    assert at(detector, 89.9) is PresenceState.PRESENT
    assert at(detector, 90.0) is PresenceState.MISSING


@pytest.mark.parametrize("odd", [60.0, 0.0])
def test_one_heartbeat_that_is_late_or_comes_with_another_changes_nothing(odd: float) -> None:
    detector = PresenceDetector(0.0)
    now = 0.0
    for distance in (0.0, 5.0, 5.0, odd, 5.0):
        now += distance
        detector.heard(BEAT, now)
    assert detector.presence.interval == 5.0


def test_heartbeats_that_come_all_at_once_make_no_interval_of_nothing() -> None:
    detector = PresenceDetector(0.0)
    for _ in range(5):
        detector.heard(BEAT, 0.0)
    assert detector.presence.interval == 0.1


@given(
    st.lists(st.tuples(st.integers(0, 120).map(lambda quarters: quarters / 4), st.booleans()), max_size=40)
)
def test_what_is_known_is_what_the_last_heartbeats_say(steps: list[tuple[float, bool]]) -> None:
    detector = PresenceDetector(0.0)
    now = 0.0
    came: list[float] = []
    for wait, beats in steps:
        now += wait
        if beats:
            detector.tick(now)
            before = detector.presence.state
            assert detector.heard(BEAT, now) == (before is not PresenceState.PRESENT)
            came.append(now)
        else:
            known = detector.presence
            assert detector.tick(now) == (detector.presence != known)
        distances = [later - earlier for earlier, later in itertools.pairwise(came)][-3:]
        interval = max(sorted(distances)[len(distances) // 2], 0.1) if distances else 5.0
        assert detector.presence.interval == interval
        if not came:
            expected = PresenceState.UNKNOWN
        elif now - came[-1] >= 5 * interval:
            expected = PresenceState.GONE
        elif now - came[-1] >= 2 * interval:
            expected = PresenceState.MISSING
        else:
            expected = PresenceState.PRESENT
        detector.tick(now)
        assert detector.presence.state is expected


async def states(changes: PresenceChanges, count: int) -> list[tuple[PresenceState, float]]:
    found = [await anext(changes) for _ in range(count)]
    return [(presence.state, presence.since) for presence in found]


@pytest.mark.trio
async def test_changes_are_told_when_they_are_due(autojump_clock: trio.testing.MockClock) -> None:
    async with open_system() as system:
        start = trio.current_time()
        board = PresenceBoard()
        keeper = await system.spawn(PresenceKeeper, board)
        async with PresenceChanges(board) as changes:
            assert await states(changes, 1) == [(PresenceState.UNKNOWN, start)]
            await keeper.tell(Beat(BEAT))
            assert await states(changes, 3) == [
                (PresenceState.PRESENT, start),
                (PresenceState.MISSING, start + 10),
                (PresenceState.GONE, start + 25),
            ]
            assert trio.current_time() == start + 25
            await keeper.tell(Beat(BEAT))
            assert await states(changes, 1) == [(PresenceState.PRESENT, start + 25)]
        async with PresenceChanges(board) as later:
            assert (await anext(later)).state is PresenceState.PRESENT


@pytest.mark.trio
async def test_a_service_that_turns_out_to_be_quicker_is_missed_sooner(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system() as system:
        start = trio.current_time()
        board = PresenceBoard()
        keeper = await system.spawn(PresenceKeeper, board)
        for _ in range(3):
            await keeper.tell(Beat(BEAT))
            await trio.sleep(1)
        async with PresenceChanges(board) as changes:
            assert await states(changes, 3) == [
                (PresenceState.PRESENT, start),
                (PresenceState.MISSING, start + 4),
                (PresenceState.GONE, start + 7),
            ]


@pytest.mark.trio
async def test_a_keeper_that_is_started_again_keeps_time_on(autojump_clock: trio.testing.MockClock) -> None:
    async with open_system() as system:
        board = PresenceBoard()
        keeper = await system.spawn(PresenceKeeper, board)
        await keeper.tell(Beat(BEAT))
        await trio.sleep(1)
        await keeper.stop()
        await system.spawn(PresenceKeeper, board)
        async with PresenceChanges(board) as changes:
            assert [state for state, _ in await states(changes, 3)] == [
                PresenceState.PRESENT,
                PresenceState.MISSING,
                PresenceState.GONE,
            ]


@pytest.mark.trio
async def test_of_changes_that_nobody_reads_the_oldest_are_left_out() -> None:
    board = PresenceBoard()
    async with PresenceChanges(board) as changes:
        for number in range(100):
            board.detector.heard(BEAT, float(number))
            board.changed()
        assert len(changes._waiting) == 64
        assert (await anext(changes)).heartbeat is BEAT


def test_waiting_for_a_change_can_be_cancelled_and_loses_none() -> None:
    async def scenario(point: CancelPoint) -> None:
        board = PresenceBoard()
        found = 0
        async with PresenceChanges(board) as changes:
            board.changed()
            with point:
                await anext(changes)
                found += 1
            with trio.move_on_after(1):
                while True:
                    await anext(changes)
                    found += 1
        assert found == 2

    assert cancel_at_every_checkpoint(scenario) >= 1


def beat(timestamp: float) -> Heartbeat:
    return attrs.evolve(BEAT, timestamp=timestamp)


def test_heartbeats_that_were_held_up_do_not_look_like_those_of_a_quicker_service() -> None:
    detector = PresenceDetector(0.0)
    for number in range(4):
        detector.heard(beat(5.0 * number), 5.0 * number)
    for number in range(4, 10):  # all at once, when they could
        detector.heard(beat(5.0 * number), 45.0)
    assert detector.presence.interval == 5.0
    assert at(detector, 54.9) is PresenceState.PRESENT


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_service_whose_clock_is_set_is_no_other_service(jump: float) -> None:
    detector = PresenceDetector(0.0)
    for number in range(6):
        detector.heard(beat(5.0 * number + jump * (number > 2)), 5.0 * number)
    assert detector.presence.interval == 5.0


@pytest.mark.trio
async def test_who_was_held_up_himself_reads_what_came_meanwhile_before_he_misses_anything(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with open_system() as system:
        board = PresenceBoard()
        keeper = await system.spawn(PresenceKeeper, board)
        async with PresenceChanges(board) as changes:
            await keeper.tell(Beat(BEAT))
            assert [state for state, _ in await states(changes, 2)] == [
                PresenceState.UNKNOWN,
                PresenceState.PRESENT,
            ]
            mock_clock.jump(30)  # GONE would have been due after 25
            await wait_all_tasks_blocked()
            await keeper.tell(Beat(BEAT))
            await wait_all_tasks_blocked()
            mock_clock.jump(0.1)
            await wait_all_tasks_blocked()
            assert not changes._waiting
            mock_clock.jump(200)
            await wait_all_tasks_blocked()
            mock_clock.jump(0.1)
            assert [state for state, _ in await states(changes, 1)] == [PresenceState.GONE]


def test_entering_changes_can_be_cancelled_and_leaves_no_reader_behind() -> None:
    async def scenario(point: CancelPoint) -> None:
        board = PresenceBoard()
        with point:
            async with PresenceChanges(board):
                pass
        assert not board._readers

    assert cancel_at_every_checkpoint(scenario) >= 1
