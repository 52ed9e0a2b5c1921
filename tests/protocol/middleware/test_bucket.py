"""The token bucket, against what it promises."""

import math

import pytest
from hypothesis import given, strategies as st

from aip_trio.errors import InvalidSpec
from aip_trio.protocol import TokenBucket

RATES = st.floats(min_value=0.01, max_value=1e6)
BURSTS = st.integers(min_value=1, max_value=50)
STEPS = st.lists(st.floats(min_value=0, max_value=100), max_size=60)
STARTS = st.floats(min_value=-1e6, max_value=1e6)


@given(RATES, BURSTS, STARTS, STEPS)
def test_in_any_time_no_more_passes_than_burst_and_rate_allow(
    rate: float, burst: int, start: float, steps: list[float]
) -> None:
    bucket = TokenBucket(rate, burst)
    now, taken = start, list[float]()
    for step in steps:
        now += step
        if bucket.take(now) == 0:
            taken.append(now)
    for first, since in enumerate(taken):
        for last, until in enumerate(taken[first:], 1):
            assert last <= burst + rate * (until - since) + 1e-3, (first, since, until)


@given(RATES, BURSTS, STARTS, STEPS)
def test_whoever_waits_as_long_as_told_gets_a_token_and_not_sooner(
    rate: float, burst: int, start: float, steps: list[float]
) -> None:
    bucket = TokenBucket(rate, burst)
    now = start
    for step in steps:
        now += step
        wait = bucket.take(now)
        if wait:
            sooner = now + wait * 0.9
            if sooner < now + wait - 1e-6:
                assert bucket.take(sooner) > 0
            while bucket.take(now + wait) > 0:  # but for the rounding of the sum
                now = math.nextafter(now + wait, math.inf) - wait
            now += wait


def test_it_begins_full_and_is_never_more_than_full() -> None:
    bucket = TokenBucket(2.0, 3)
    assert [bucket.take(0) for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]
    assert [bucket.take(1000) for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]


def test_what_is_refused_costs_nothing() -> None:
    bucket = TokenBucket(1.0, 1)
    assert bucket.take(0) == 0
    assert [bucket.take(0.5) for _ in range(5)] == [pytest.approx(0.5)] * 5
    assert bucket.take(1) == 0


def test_a_clock_that_goes_back_gives_no_tokens() -> None:
    bucket = TokenBucket(1.0, 1)
    assert bucket.take(10) == 0
    assert bucket.take(5) == pytest.approx(6)
    assert bucket.take(11) == 0


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1), (1, 1), (2.5, 3), (1000, 1000)])
def test_a_burst_is_by_default_what_comes_in_a_second(rate: float, burst: int) -> None:
    assert TokenBucket(rate).burst == burst


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan, True, "5", None])
def test_a_bad_rate_is_named(rate: float) -> None:
    with pytest.raises(InvalidSpec, match="rate"):
        TokenBucket(rate)


@pytest.mark.parametrize("burst", [0, -1, 1.5, True, "5"])
def test_a_bad_burst_is_named(burst: int) -> None:
    with pytest.raises(InvalidSpec, match="burst"):
        TokenBucket(1.0, burst)
