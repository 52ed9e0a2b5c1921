"""What a soak of events is told."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import attrs

__all__ = ["EventsSettings"]

#: Bytes that each event takes that is kept, or waits for a subscriber, beside what it says; MiB for all else.
_EACH, _ELSE = 500, 32


@attrs.frozen(kw_only=True)
class EventsSettings:
    """``size``: bytes of what each event says. ``rate``: events in a second. ``replay``: how many the service
    keeps. ``send_limit``: how many wait for a subscriber at the most. ``pause``: seconds for which one of
    them is stopped. ``delay``: the most seconds that an event may take to any other one.
    """

    folder: Path
    events: int = 1_000_000
    size: int = 100
    subscribers: int = 10
    rate: float = 5_000.0
    replay: int = 100_000
    send_limit: int = 10_000
    pause: float = 40.0
    delay: float = 5.0

    @property
    def stops(self) -> Sequence[tuple[float, signal.Signals]]:
        """What the last subscriber is sent, and how many seconds after the first event."""
        first = 0.25 * self.events / self.rate
        return (first, signal.SIGSTOP), (first + self.pause, signal.SIGCONT)

    @property
    def limit(self) -> float:
        """Seconds for all of it."""
        return 3 * self.events / self.rate + self.pause + 30.0

    @property
    def bound(self) -> float:
        """MiB by which the service may grow: what it keeps, and what waits for the one that is stopped; never
        what has been published.
        """
        return _ELSE + (self.replay + self.send_limit) * (self.size + _EACH) / 2**20
