"""Backoff against its schedule, counted out step by step."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given, strategies as st

from aip_trio.errors import InvalidSpec
from aip_trio.resilience import Backoff
from tests.actors.model._settings import examples

_SECONDS = st.floats(0, 1e6)
_DRAWS = st.floats(0, 1, exclude_max=True)


@st.composite
def backoffs(draw: st.DrawFn, *, jitter: bool | None = None) -> Backoff:
    """Any."""
    initial, maximum = sorted((draw(_SECONDS), draw(_SECONDS)))
    return Backoff(
        initial=initial,
        multiplier=draw(st.floats(1, 10)),
        maximum=maximum,
        jitter=draw(st.booleans()) if jitter is None else jitter,
        reset_after=draw(_SECONDS),
        max_retries=draw(st.none() | st.integers(0, 10)),
    )


@examples(100)
@given(backoffs(jitter=False), _DRAWS)
def test_without_jitter_each_delay_is_the_one_before_times_the_multiplier_up_to_maximum(
    backoff: Backoff, draw: float
) -> None:
    delay = backoff.initial
    for failures in range(1, 30):
        assert backoff.delay(failures, draw) == pytest.approx(min(delay, backoff.maximum))
        delay *= backoff.multiplier


@examples(100)
@given(backoffs(jitter=True), st.integers(1, 10_000), _DRAWS)
@example(Backoff(initial=1.0, multiplier=10.0), 5_000, 0.5)
@example(Backoff(initial=0.0, multiplier=10.0), 5_000, 0.5)
def test_with_jitter_a_delay_is_its_drawn_part_of_the_ceiling(
    backoff: Backoff, failures: int, draw: float
) -> None:
    assert backoff.delay(failures, draw) == pytest.approx(backoff.ceiling(failures) * draw)
    assert backoff.delay(failures, 0.0) == 0.0


@examples(100)
@given(backoffs())
def test_ceilings_start_at_initial_never_shrink_and_stay_within_maximum(backoff: Backoff) -> None:
    ceilings = [backoff.ceiling(failures) for failures in (*range(1, 40), 500, 5_000, 50_000)]
    assert ceilings[0] == backoff.initial
    assert all(earlier <= later for earlier, later in pairwise(ceilings))
    assert ceilings[-1] <= backoff.maximum


@examples(100)
@given(backoffs(), st.integers(1, 12))
def test_it_is_exhausted_by_more_failures_than_max_retries(backoff: Backoff, failures: int) -> None:
    retries_left = math.inf if backoff.max_retries is None else backoff.max_retries
    for _ in range(failures):
        retries_left -= 1
    assert backoff.exhausted(failures) == (retries_left < 0)


@examples(100)
@given(backoffs(), _SECONDS)
def test_a_child_is_healthy_from_reset_after_seconds_on(backoff: Backoff, uptime: float) -> None:
    assert backoff.healthy(backoff.reset_after)
    assert backoff.healthy(uptime) == (uptime >= backoff.reset_after)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Backoff(initial=-0.1),
        lambda: Backoff(initial=math.nan),
        lambda: Backoff(initial=31.0),  # more than maximum
        lambda: Backoff(maximum=-1.0),
        lambda: Backoff(maximum=math.nan),
        lambda: Backoff(multiplier=0.5),
        lambda: Backoff(multiplier=math.inf),
        lambda: Backoff(multiplier=math.nan),
        lambda: Backoff(reset_after=-1.0),
        lambda: Backoff(reset_after=math.nan),
        lambda: Backoff(max_retries=-1),
    ],
)
def test_a_value_out_of_range_is_refused(make: Callable[[], Backoff]) -> None:
    with pytest.raises(InvalidSpec, match=r"Backoff\."):
        make()
