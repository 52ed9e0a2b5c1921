"""A place for one answer, and one task that waits for it."""

from typing import Generic, TypeVar, cast

import attrs
import trio
from trio.lowlevel import (
    Abort,
    RaiseCancelT,
    Task,
    current_task,
    enable_ki_protection,
    reschedule,
    wait_task_rescheduled,
)

__all__ = ["Answer"]

R = TypeVar("R")


@attrs.define(eq=False, init=False)
class Answer(Generic[R]):
    """Parks the task that waits; the first answer reschedules it, or is kept for it.

    The answer may come before anybody waits: then it is stored. It is ``withdrawn`` when the waiting
    task was cancelled: nobody will read it any more.
    """

    settled: bool
    withdrawn: bool
    _value: R | None
    _error: BaseException | None
    _task: Task | None

    def __init__(self) -> None:
        self.settled = self.withdrawn = False
        self._value = self._error = self._task = None

    @enable_ki_protection
    def send(self, value: R) -> None:
        """Answer with a value. Whatever comes after the first answer is ignored."""
        if not self.settled:
            self._value = value
            self._settle()

    @enable_ki_protection
    def fail(self, error: BaseException) -> None:
        """Answer with an exception, which is raised in the task that waits."""
        if not self.settled:
            self._error = error
            self._settle()

    def _settle(self) -> None:
        self.settled = True
        if self._task is not None:
            task, self._task = self._task, None
            reschedule(task)

    @enable_ki_protection
    async def wait(self) -> R:
        """The answer, or the exception that it is. A checkpoint; being cancelled withdraws."""
        if self.settled:
            await trio.lowlevel.checkpoint()
        else:
            self._task = current_task()
            await wait_task_rescheduled(self._abort)
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # else the traceback, through this frame, keeps itself alive
        return cast(R, self._value)  # settled without error: it is one

    def _abort(self, _: RaiseCancelT) -> Abort:
        self._task = None
        self.withdrawn = True
        return Abort.SUCCEEDED
