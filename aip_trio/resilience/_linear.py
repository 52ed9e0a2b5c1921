"""Waiting a little longer each time, by the same step."""

import attrs

from aip_trio.resilience._backoff import Backoff

__all__ = ["LinearBackoff"]


@attrs.frozen(kw_only=True)
class LinearBackoff(Backoff):
    """A `Backoff` whose n-th failure in a row waits ``n * initial`` seconds, at most ``maximum``.

    ``multiplier`` is not used.
    """

    def ceiling(self, failures: int) -> float:
        """The longest wait, in seconds, after so many failures in a row (1 or more)."""
        return min(self.maximum, self.initial * failures)
