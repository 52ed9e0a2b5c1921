"""How long to wait before the next try."""

import math

import attrs

from aip_trio.errors import InvalidSpec

__all__ = ["Backoff"]


def _seconds(instance: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not isinstance(value, (int, float)) or math.isnan(value) or value < 0:
        raise InvalidSpec(f"Backoff.{attribute.name}", value, "give seconds, 0 or more")


@attrs.frozen(kw_only=True)
class Backoff:
    """A schedule of delays between restarts: exponential, capped, with full jitter.

    The n-th failure in a row waits between 0 and ``initial * multiplier ** (n - 1)`` seconds, at most
    ``maximum``; without ``jitter`` it waits that ceiling itself. A child that ran for ``reset_after``
    seconds counts as healthy, and its failures are forgotten. At the failure after ``max_retries`` retries in
    a row the supervisor gives up; None is for ever.

    Full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    initial: float = attrs.field(default=0.1, validator=_seconds)
    multiplier: float = attrs.field(default=2.0)
    maximum: float = attrs.field(default=30.0, validator=_seconds)
    jitter: bool = True
    reset_after: float = attrs.field(default=60.0, validator=_seconds)
    max_retries: int | None = None

    def __attrs_post_init__(self) -> None:
        if not self.multiplier >= 1 or math.isinf(self.multiplier):
            raise InvalidSpec("Backoff.multiplier", self.multiplier, "give a finite number, 1 or more")
        if self.maximum < self.initial:
            raise InvalidSpec("Backoff.maximum", self.maximum, f"give at least initial={self.initial}")
        retries = self.max_retries
        if retries is not None and (not isinstance(retries, int) or retries < 0):
            raise InvalidSpec("Backoff.max_retries", retries, "give a number, 0 or more, or None for ever")

    def ceiling(self, failures: int) -> float:
        """The longest wait, in seconds, after so many failures in a row (1 or more)."""
        try:
            return min(self.maximum, self.initial * self.multiplier ** (failures - 1))
        except OverflowError:  # after some thousand failures
            return self.maximum if self.initial else 0.0

    def delay(self, failures: int, draw: float) -> float:
        """Seconds to wait after so many failures in a row; ``draw`` is a random number in [0, 1)."""
        ceiling = self.ceiling(failures)
        return ceiling * draw if self.jitter else ceiling

    def exhausted(self, failures: int) -> bool:
        """Whether so many failures in a row are more than it retries."""
        return self.max_retries is not None and failures > self.max_retries

    def healthy(self, uptime: float) -> bool:
        """Whether a child that ran so many seconds has its earlier failures forgiven."""
        return uptime >= self.reset_after
