"""HeartbeatDetector beside its machine, and beside a plain list of what was heard."""

import math

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import IllegalTransition, InvalidSpec
from aip_trio.resilience import HEARTBEAT_MACHINE, HeartbeatDetector, HeartbeatEvent, HeartbeatState
from aip_trio.testing import machine_test
from tests.actors.model._settings import examples


class NoCause(Exception):
    """Nothing that can be done to a detector in this state has this effect."""


class RealDetector:
    """A detector with a clock; each event by what causes it."""

    def __init__(self) -> None:
        self.detector = HeartbeatDetector(10.0)
        self.now = 100.0

    @property
    def state(self) -> HeartbeatState:
        return self.detector.state

    def fire(self, event: HeartbeatEvent) -> None:
        getattr(self, f"_{event.value}")()

    def _start(self) -> None:
        self.detector.start(self.now)

    def _heard(self) -> None:
        self.detector.heard(self.now)

    def _stop(self) -> None:
        self.detector.stop()

    def _miss(self) -> None:
        self._silence(10.0)

    def _lose(self) -> None:
        self._silence(20.0)

    def _silence(self, seconds: float) -> None:
        """Look when it has been silent for so long; only of use where it was not so before."""
        before, silence = self.state, self.detector.silence(self.now)
        if before is HeartbeatState.IDLE or silence >= seconds or (seconds == 20.0 and silence < 10.0):
            raise NoCause
        self.now += seconds - silence
        self.detector.silent(self.now)


TestDetector = machine_test(
    HEARTBEAT_MACHINE, RealDetector, refusals=(IllegalTransition, NoCause), settings=examples(100)
)

#: Multiples of 1/4: sums of them are exact.
_STEPS = st.integers(0, 12).map(lambda quarters: quarters / 4)
_DEEDS = st.sampled_from(["heard", "look", "send"])


@examples(200)
@given(st.integers(1, 4), st.lists(st.tuples(_STEPS, _DEEDS), max_size=30))
def test_the_peer_is_lost_after_so_many_silent_periods_and_until_it_is_heard(
    misses: int, steps: list[tuple[float, str]]
) -> None:
    interval = 2.0
    detector = HeartbeatDetector(interval, misses=misses)
    now = 5.0
    detector.start(now)
    heard, sent, lost = now, now, False
    for step, deed in steps:
        now += step
        if deed == "heard":
            detector.heard(now)
            heard, lost = now, False
        elif deed == "send" and detector.due(now):
            detector.sent(now)
            assert now - sent >= interval
            sent = now
        else:
            lost = lost or now - heard >= misses * interval
            assert detector.silent(now) == lost
            assert (detector.state is HeartbeatState.SUSPECT) == (not lost and now - heard >= interval)
        assert detector.due(now) == (now - sent >= interval)
        assert detector.silence(now) == now - heard


@examples(100)
@given(
    st.floats(0.001, 1e4, allow_nan=False),
    st.floats(0, 1e9, allow_nan=False),
    st.integers(1, 5),
    st.floats(0, 1),
)
def test_waking_at_wake_never_finds_nothing_to_do(
    interval: float, now: float, misses: int, late: float
) -> None:
    detector = HeartbeatDetector(interval, misses=misses)
    detector.start(now)
    detector.heard(now + late * interval)
    for _ in range(3 * misses):
        now = detector.wake
        lost = detector.silent(now)
        assert lost or detector.due(now)
        if lost:
            return
        detector.sent(now)
    raise AssertionError("it never gives up")


def test_it_need_not_be_looked_at_when_idle() -> None:
    detector = HeartbeatDetector()
    assert detector.wake == math.inf
    assert not detector.due(1e9)
    assert not detector.silent(1e9)


def test_a_lost_peer_still_gets_heartbeats_and_may_come_back() -> None:
    detector = HeartbeatDetector(10.0)
    detector.start(0.0)
    assert detector.silent(20.0)
    assert detector.wake == 10.0  # the heartbeat, which is overdue
    detector.sent(20.0)
    assert detector.wake == 30.0
    detector.heard(21.0)
    assert detector.state is HeartbeatState.ALIVE
    assert not detector.silent(40.9)


def test_time_in_which_we_did_not_run_can_be_excused() -> None:
    detector = HeartbeatDetector(10.0)
    detector.start(0.0)
    detector.excuse(100.0)
    assert not detector.silent(109.0)
    assert detector.silent(120.0)


@pytest.mark.parametrize("interval", [0, -1.0, math.nan, math.inf, None, "5"])
def test_an_interval_is_seconds_more_than_0(interval: float) -> None:
    with pytest.raises(InvalidSpec, match="interval"):
        HeartbeatDetector(interval)


@pytest.mark.parametrize("misses", [0, -1, 1.5, True, None])
def test_misses_is_a_number_from_1_on(misses: int) -> None:
    with pytest.raises(InvalidSpec, match="misses"):
        HeartbeatDetector(misses=misses)
