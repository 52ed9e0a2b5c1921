"""When to tell of what has changed. No clock here."""

from __future__ import annotations

import math

__all__ = ["Cadence"]

#: Seconds between reports that are urgent: a device in trouble has much to say, and little that is new.
_URGENT = 0.05


class Cadence:
    """At most one report in ``interval`` seconds, an urgent one at once; the last change is always told.

    Times are of one clock that never runs backwards.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._last = -math.inf
        self._changed = self._urgent = False

    def changed(self, *, urgent: bool = False) -> None:
        """There is something to tell."""
        self._changed = True
        self._urgent = self._urgent or urgent

    @property
    def due(self) -> float:
        """When the next report is due; infinity where there is nothing to tell."""
        if not self._changed:
            return math.inf
        return self._last + (min(_URGENT, self._interval) if self._urgent else self._interval)

    def reported(self, now: float) -> None:
        """All that has changed so far is being told."""
        self._last = now
        self._changed = self._urgent = False
