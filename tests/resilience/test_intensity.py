"""RestartWindow against a list of all restarts ever made."""

import math

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import InvalidSpec
from aip_trio.resilience import Restart, RestartWindow
from tests.actors.model._settings import examples

#: Multiples of 1/8: sums of them are exact, and differences of exactly the period are common.
_STEPS = st.integers(0, 24).map(lambda eighths: eighths / 8)
_CAUSES = st.none() | st.builds(ValueError)


@examples(200)
@given(
    st.integers(0, 4),
    st.integers(1, 16).map(lambda eighths: eighths / 8),
    st.lists(st.tuples(_STEPS, _CAUSES), max_size=12),
)
def test_it_is_exceeded_by_more_than_intensity_restarts_within_period(
    intensity: int, period: float, steps: list[tuple[float, ValueError | None]]
) -> None:
    window = RestartWindow(intensity, period)
    now = 0.0
    made: list[Restart] = []
    for step, cause in steps:
        now += step
        made.append(Restart(now, cause))
        window.add(made[-1])
        recent = [restart for restart in made if now - restart.at <= period]
        assert window.restarts == tuple(recent)
        assert window.exceeded == (len(recent) > intensity)
        assert window.causes == tuple(restart.cause for restart in recent if restart.cause)


def test_a_restart_exactly_period_seconds_ago_still_counts() -> None:
    for second, exceeded in ((15.0, True), (math.nextafter(15.0, 16.0), False)):
        window = RestartWindow(1, 5.0)
        window.add(Restart(10.0))
        window.add(Restart(second))
        assert window.exceeded == exceeded


def test_another_one_has_the_same_limits_and_counts_by_itself() -> None:
    window = RestartWindow(0, 1.0)
    window.add(Restart(0.0))
    another = window.another()
    assert another == RestartWindow(0, 1.0)
    assert window.exceeded
    assert not another.exceeded


def test_the_limits_stay() -> None:
    window = RestartWindow(0, 1.0)
    with pytest.raises(AttributeError):
        window.intensity = 1
    with pytest.raises(AttributeError):
        window.period = 2.0


def test_a_restart_costs_the_same_however_many_there_are() -> None:
    looks: list[float] = []

    class Watched(Restart):
        def __getattribute__(self, name: str) -> object:
            if name == "at":
                looks.append(0)
            return super().__getattribute__(name)

    window = RestartWindow(10_000, 1_000.0)
    for number in range(5_000):
        window.add(Watched(float(number)))
    assert len(window.restarts) == 1_001
    assert len(looks) < 5 * 5_000


@pytest.mark.parametrize("intensity", [-1, 1.0, True, None, "3"])
def test_intensity_is_a_whole_number_from_0_on(intensity: int) -> None:
    with pytest.raises(InvalidSpec, match="intensity"):
        RestartWindow(intensity, 1.0)


@pytest.mark.parametrize("period", [0, -1.0, math.nan, None, "5"])
def test_period_is_more_than_0_seconds(period: float) -> None:
    with pytest.raises(InvalidSpec, match="period"):
        RestartWindow(1, period)
