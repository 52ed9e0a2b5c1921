"""How long things take, in constant memory."""

from __future__ import annotations

import math
from typing import Any

import attrs

__all__ = ["Histogram", "Latency"]

#: Seconds: up to here is the first bucket. Each next one ends 19 % higher, four of them make a doubling.
_LEAST = 1e-6
_STEPS = 4
#: The last bucket with an end, at 18 minutes.
_LAST = 30 * _STEPS


def _end(index: int) -> float:
    """Where a bucket ends, in seconds."""
    return _LEAST * 2.0 ** (index / _STEPS) if index <= _LAST else math.inf


@attrs.frozen
class Latency:
    """What a histogram has to say. Seconds; all 0 where nothing was recorded.

    The percentiles are at most 19 % off. ``buckets``: those that are not empty, each with its upper end and
    how many were as quick as that, as in Prometheus.
    """

    count: int
    total: float
    minimum: float
    maximum: float
    p50: float
    p90: float
    p99: float
    buckets: tuple[tuple[float, int], ...]

    def as_dict(self) -> dict[str, Any]:
        """In JSON's types; the end of the last bucket is then a text, "+Inf"."""
        plain = attrs.asdict(self, recurse=False)
        plain["buckets"] = [["+Inf" if math.isinf(end) else end, count] for end, count in self.buckets]
        return plain


class Histogram:
    """Counts durations in fixed buckets, which grow as their logarithm does: 1 µs to 18 minutes."""

    __slots__ = ("_counts", "_maximum", "_minimum", "_total", "count")

    def __init__(self) -> None:
        self.count = 0
        self._counts = [0] * (_LAST + 2)
        self._total = 0.0
        self._minimum, self._maximum = math.inf, 0.0

    def record(self, seconds: float) -> None:
        """It took so long; a clock that went back makes that 0."""
        seconds = max(seconds, 0.0)
        index = 0
        if seconds > _LEAST:
            index = min(math.ceil(math.log2(seconds / _LEAST) * _STEPS), _LAST + 1)
        self._counts[index] += 1
        self.count += 1
        self._total += seconds
        self._minimum = min(self._minimum, seconds)
        self._maximum = max(self._maximum, seconds)

    def quantile(self, part: float) -> float:
        """How long the slowest of that part (0 to 1) took: its bucket's upper end; 0 where there is none."""
        if not self.count:
            return 0.0
        wanted = max(1, math.ceil(part * self.count))
        seen = 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return min(max(_end(index), self._minimum), self._maximum)
        return self._maximum

    def snapshot(self) -> Latency:
        """As it is now."""
        return Latency(
            count=self.count,
            total=self._total,
            minimum=self._minimum if self.count else 0.0,
            maximum=self._maximum,
            p50=self.quantile(0.5),
            p90=self.quantile(0.9),
            p99=self.quantile(0.99),
            buckets=self._cumulated(),
        )

    def _cumulated(self) -> tuple[tuple[float, int], ...]:
        seen = 0
        buckets: list[tuple[float, int]] = []
        for index, count in enumerate(self._counts):
            if count:
                seen += count
                buckets.append((_end(index), seen))
        return tuple(buckets)
