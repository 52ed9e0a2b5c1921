"""Which task is next, and for whom."""

from collections import deque
from collections.abc import Callable, Iterable

import trio

from aip_trio.cli.demo._jobs import Job, MeasureLoad

__all__ = ["Agenda"]


class Agenda:
    """Tasks that wait, and tasks in hand, shared by those who have them done.

    When nothing waits and nothing is in hand, ``last`` gives the closing tasks, once; after them it is over.
    """

    def __init__(self, first: Iterable[Job], last: Callable[[], Iterable[Job]]) -> None:
        self._waiting = deque(first)
        self._last: Callable[[], Iterable[Job]] | None = last
        self._in_hand = 0
        self._changed = trio.Condition()

    async def take(self, device: str) -> Job | None:
        """The next task that this device may do; None at the end. A checkpoint; waits for one."""
        async with self._changed:
            while True:
                for job in self._waiting:
                    if not isinstance(job, MeasureLoad) or job.device == device:
                        self._waiting.remove(job)
                        self._in_hand += 1
                        return job
                if not self._waiting and not self._in_hand:
                    if self._last is None:
                        return None
                    self._waiting.extend(self._last())
                    self._last = None
                    self._changed.notify_all()
                    continue
                await self._changed.wait()

    async def done(self, further: Iterable[Job]) -> None:
        """A task in hand has its outcome; others follow from it. A checkpoint."""
        await self._give_back(lambda: self._waiting.extend(further))

    async def again(self, job: Job) -> None:
        """A task in hand was not done: it is the next. A checkpoint."""
        await self._give_back(lambda: self._waiting.appendleft(job))

    async def _give_back(self, change: Callable[[], None]) -> None:
        async with self._changed:
            self._in_hand -= 1
            change()
            self._changed.notify_all()
