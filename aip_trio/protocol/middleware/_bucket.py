"""The token bucket: how much may pass, and when; without a clock."""

from __future__ import annotations

import math

from aip_trio.errors import InvalidSpec

__all__ = ["TokenBucket"]


class TokenBucket:
    """Holds ``burst`` tokens at most, and gets ``rate`` of them per second; it begins full.

    In any t seconds it gives no more than ``burst + rate * t``. By default a burst is what comes in a second.
    Times are seconds of one clock, and come as arguments. Raises InvalidSpec.
    """

    __slots__ = ("_full_at", "burst", "rate")

    def __init__(self, rate: float, burst: int | None = None) -> None:
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
            raise InvalidSpec("rate", rate, "give a number per second, more than 0")
        if burst is None:
            burst = math.ceil(rate)
        if isinstance(burst, bool) or not isinstance(burst, int) or burst < 1:
            raise InvalidSpec("burst", burst, "give a number, 1 or more")
        self.rate = rate
        self.burst = burst
        self._full_at = -math.inf

    def take(self, now: float) -> float:
        """Take a token: 0. Where there is none: the seconds until there is one, and nothing is taken."""
        full_at = max(self._full_at, now) + 1 / self.rate
        wait = full_at - now - self.burst / self.rate
        if wait > 4 * math.ulp(full_at):  # less is the rounding's, and no clock could tell
            return wait
        self._full_at = full_at
        return 0.0
