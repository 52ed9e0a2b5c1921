"""How often a supervisor restarts its children before it gives up."""

from __future__ import annotations

import math

from aip_trio.actors._child import Child
from aip_trio.actors._spec import Flags
from aip_trio.errors import RestartIntensityExceeded, RetriesExhausted
from aip_trio.resilience import Backoff, Restart

__all__ = ["Limits"]


class Limits:
    """Counts restarts: one window for all children, or for each where they are owned.

    A child with a backoff does not count there; it has its own ``max_retries``.
    """

    def __init__(self, flags: Flags, path: str) -> None:
        self._path = path
        self._owned = flags.owned
        self._window = flags.window.another()

    def count(self, child: Child, error: BaseException | None, now: float) -> BaseException | None:
        """One more restart of this child; the error to give up with, where it is one too many."""
        backoff = child.spec.backoff
        if backoff is None:
            return self._count_in_window(child, error, now)
        return self._count_in_a_row(child, backoff, error)

    def _count_in_a_row(
        self, child: Child, backoff: Backoff, error: BaseException | None
    ) -> BaseException | None:
        child.failures += 1
        if not backoff.exhausted(child.failures):
            return None
        causes = () if error is None else (error,)
        return RetriesExhausted(self._path, child.spec.name, backoff.max_retries or 0, math.inf, causes)

    def _count_in_window(self, child: Child, error: BaseException | None, now: float) -> BaseException | None:
        window = self._window
        if self._owned:
            window = child.window = child.window or window.another()
        window.add(Restart(now, error))
        if not window.exceeded:
            return None
        return RestartIntensityExceeded(
            self._path, child.spec.name, window.intensity, window.period, window.causes
        )
