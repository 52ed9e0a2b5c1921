"""The same counting actor by Pykka, a thread each. Imported only where Pykka is installed."""

from __future__ import annotations

import os

import pykka

from benchmarks._counter import Tick

__all__ = ["Counter", "on_one_core"]


class Counter(pykka.ThreadingActor):  # type: ignore[misc] # pyright: ignore[reportUntypedBaseClass]
    """Counts the ticks that it is told, and answers whatever else it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.ticks = 0

    def on_receive(self, message: object) -> int | None:
        """Take one message."""
        if isinstance(message, Tick):
            self.ticks += 1
            return None
        return self.ticks


def on_one_core() -> None:
    """Keep this process on one core, where the system can: its threads then do not fight for the GIL.

    Nobody runs it so, but it is the best that it can do, and what a busy machine makes of it by accident.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
