"""Latencies in constant memory, against the list of them."""

import json
import math
import sys

import pytest
from hypothesis import given, strategies as st

from aip_trio.protocol import Histogram

DURATIONS = st.lists(st.floats(min_value=0, max_value=5000), min_size=1, max_size=200)


@given(DURATIONS, st.floats(min_value=0, max_value=1))
def test_a_quantile_is_the_true_one_but_for_a_bucket(durations: list[float], part: float) -> None:
    histogram = Histogram()
    for seconds in durations:
        histogram.record(seconds)
    true = sorted(durations)[max(1, math.ceil(part * len(durations))) - 1]
    found = histogram.quantile(part)
    assert min(durations) <= found <= max(durations)
    assert true <= found or found == max(durations)
    if 1e-6 < true < 1000:
        assert found <= true * 2**0.25 * (1 + 1e-9)


@given(DURATIONS)
def test_the_snapshot_has_all_that_was_recorded(durations: list[float]) -> None:
    histogram = Histogram()
    for seconds in durations:
        histogram.record(seconds)
    latency = histogram.snapshot()
    assert latency.count == len(durations)
    assert latency.total == pytest.approx(math.fsum(durations))
    assert (latency.minimum, latency.maximum) == (min(durations), max(durations))
    assert latency.p50 <= latency.p90 <= latency.p99 <= latency.maximum
    ends = [end for end, _ in latency.buckets]
    assert ends == sorted(set(ends))
    for end, count in latency.buckets:
        assert count == sum(seconds <= end * (1 + 1e-9) for seconds in durations)
    assert latency.buckets[-1][1] == len(durations)


def test_where_there_is_nothing_all_is_zero() -> None:
    latency = Histogram().snapshot()
    assert (latency.count, latency.minimum, latency.maximum, latency.p99, latency.buckets) == (0, 0, 0, 0, ())


def test_very_short_very_long_and_backward_times_have_their_place() -> None:
    histogram = Histogram()
    for seconds in (-1.0, 0.0, 1e-9, 1e9):
        histogram.record(seconds)
    latency = histogram.snapshot()
    assert latency.buckets == ((1e-6, 3), (math.inf, 4))
    assert (latency.minimum, latency.maximum, latency.p50) == (0, 1e9, 1e-6)
    assert json.loads(json.dumps(latency.as_dict(), allow_nan=False))["buckets"] == [[1e-6, 3], ["+Inf", 4]]


def test_its_memory_does_not_grow() -> None:
    histogram = Histogram()
    size = sys.getsizeof(histogram._counts)
    for number in range(10_000):
        histogram.record(1.5 ** (number % 90) * 1e-7)
    assert sys.getsizeof(histogram._counts) == size
    assert histogram.count == 10_000
