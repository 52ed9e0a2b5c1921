"""Times of single round trips, and what they cost."""

from __future__ import annotations

import time

import psutil

from benchmarks._harness import Measures

__all__ = ["Clock", "processor_time"]


def processor_time() -> float:
    """Seconds of a processor that this process and its children have had."""
    times = [child.cpu_times() for child in psutil.Process().children()]
    return time.process_time() + sum(one.user + one.system for one in times)


class Clock:
    """Begun once, ticked after each round trip, ended while the other process still runs."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._last = 0.0
        self._spent = 0.0

    def begin(self) -> None:
        """The first begins now; what came before only warmed up."""
        self._times.clear()
        self._spent = processor_time()
        self._last = time.perf_counter()

    def tick(self) -> None:
        """One has ended, and the next begins."""
        now = time.perf_counter()
        self._times.append(now - self._last)
        self._last = now

    def end(self) -> None:
        """That was the last."""
        self._spent = processor_time() - self._spent

    def measures(self) -> Measures:
        """Their rate; two percentiles and both processors' time of one, in microseconds."""
        ordered = sorted(self._times)
        at = [ordered[int(len(ordered) * part)] * 1e6 for part in (0.5, 0.99)]
        spent = self._spent / len(ordered) * 1e6
        return {"rate": len(ordered) / sum(ordered), "p50": at[0], "p99": at[1], "cpu": spent}
