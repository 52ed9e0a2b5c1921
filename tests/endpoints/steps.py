"""Cancelling a call at each step that any task makes."""

from collections.abc import Awaitable, Callable

import trio
from trio.lowlevel import Task
from trio.testing import MockClock

from aip_trio.testing import CancelPoint

__all__ = ["cancel_at_every_step"]


class Step(CancelPoint):
    """A moment that is counted in the steps of all tasks: what waits for others is cancelled all along."""

    def after_task_step(self, task: Task) -> None:
        """Its beginning to wait is no other moment than the next step of whoever comes."""

    def before_task_step(self, task: Task) -> None:
        if self._task is not None:
            self._tick(self._task, "as another task went on")


def cancel_at_every_step(scenario: Callable[[CancelPoint], Awaitable[None]]) -> int:
    """As `cancel_at_every_checkpoint`, with moments that are nearer to each other. Returns how many."""
    for moment in range(2000):
        point = Step(moment)

        async def main(point: Step = point) -> None:
            with trio.fail_after(60):
                await scenario(point)

        try:
            trio.run(main, clock=MockClock(autojump_threshold=0), instruments=[point])
        except BaseException as error:
            error.add_note(point.story())
            raise
        if not point.reached:
            return moment
    raise AssertionError("it goes round in circles")
