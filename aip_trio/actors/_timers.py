"""What is to happen later."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import count

import attrs
import trio
from trio.lowlevel import enable_ki_protection

__all__ = ["Timer", "Timers"]


@attrs.define(eq=False)
class Timer:
    """Something that will happen once, unless it is cancelled first."""

    deadline: float
    _action: Callable[[], object] | None
    _timers: Timers
    _keeper: set[Timer] | None = None

    @property
    def pending(self) -> bool:
        """Whether it is still to come."""
        return self._action is not None

    @enable_ki_protection
    def cancel(self) -> None:
        """It is not to happen. Harmless when it has, or is cancelled already."""
        if self._action is not None:
            self._action = None
            self._leave()
            self._timers.forget_one()

    def fire(self) -> None:
        """Let it happen, once."""
        action, self._action = self._action, None
        self._leave()
        if action is not None:
            action()

    def _leave(self) -> None:
        if self._keeper is not None:
            self._keeper.discard(self)


class Timers:
    """All timers of a system, in one task: thousands of heartbeats cost a heap entry each, not a task."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._sleep: trio.CancelScope | None = None
        self._cancelled = 0

    def at(self, deadline: float, action: Callable[[], object], keeper: set[Timer] | None = None) -> Timer:
        """Call ``action`` (quick, synchronous) when Trio's clock reaches ``deadline``.

        ``keeper`` holds the timer for as long as it is pending.
        """
        timer = Timer(deadline, action, self, keeper)
        if keeper is not None:
            keeper.add(timer)
        heapq.heappush(self._heap, (deadline, next(self._order), timer))
        if self._sleep is not None and deadline < self._sleep.deadline:
            self._sleep.deadline = deadline
        return timer

    def forget_one(self) -> None:
        """Count a cancelled timer; throw them out when they are the most."""
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled > len(self._heap) // 2:
            self._heap = [entry for entry in self._heap if entry[2].pending]
            heapq.heapify(self._heap)
            self._cancelled = 0

    async def run(self) -> None:
        """Fire timers as they fall due, until cancelled."""
        while True:
            with trio.CancelScope(deadline=self._next()) as self._sleep:
                await trio.sleep_forever()
            now = trio.current_time()
            due: list[Timer] = []  # what is made due by firing these waits for its own turn
            while self._heap and self._heap[0][0] <= now:
                due.append(heapq.heappop(self._heap)[2])
            for timer in due:
                if timer.pending:
                    timer.fire()
                else:
                    self._cancelled -= 1

    def _next(self) -> float:
        return self._heap[0][0] if self._heap else math.inf
