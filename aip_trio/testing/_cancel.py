"""Cancelling a call at every moment at which it can be cancelled."""

import traceback
from collections.abc import Awaitable, Callable
from pathlib import PurePath
from types import TracebackType
from typing import Self

import attrs
import trio
from trio.lowlevel import Task
from trio.testing import MockClock

from ..errors import UsageError


@attrs.define(eq=False)
class CancelPoint(trio.abc.Instrument):
    """The part of a scenario that is cancelled: ``with point: await the_call_under_test()``.

    Entered once in each attempt, by the task whose checkpoints count. Like a cancel scope, it ends the
    cancellation at its end; ``cancelled`` then says whether the call was cut off or came to its end.

    The moments, one attempt each: before the call (0); then at the first checkpoint as the task begins to
    wait (1), and as it resumes after it (2: what it waited for has happened, so the await returns and the
    *next* one is cancelled); and so on, two for each checkpoint.
    """

    moment: int
    reached: bool = attrs.field(default=False, init=False)
    entered: bool = attrs.field(default=False, init=False)
    place: str = attrs.field(default="before the call", init=False)
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _task: Task | None = attrs.field(default=None, init=False)
    _now: int = attrs.field(default=-1, init=False)

    @property
    def cancelled(self) -> bool:
        """Whether the cancellation cut the call off."""
        return self._scope.cancelled_caught

    def __enter__(self) -> Self:
        self._scope.__enter__()
        self._task = trio.lowlevel.current_task()
        self.entered = True
        self._tick(self._task, None)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> bool | None:
        self._task = None
        return self._scope.__exit__(exc_type, exc, tb)

    def story(self) -> str:
        """What this attempt did, for the report of a failure."""
        return f"moment={self.moment}, " + (f"cancelled {self.place}" if self.reached else "not cancelled")

    def after_task_step(self, task: Task) -> None:
        self._tick(task, "as it began to wait")

    def before_task_step(self, task: Task) -> None:
        self._tick(task, "as it resumed")

    def _tick(self, task: Task, how: str | None) -> None:
        if task is not self._task:
            return
        self._now += 1
        if self._now == self.moment:
            self.reached = True
            if how is not None:
                self.place = f"{how} in {_await_stack(task)}"
            self._scope.cancel()


def cancel_at_every_checkpoint(
    scenario: Callable[[CancelPoint], Awaitable[object]],
    *,
    check: Callable[[], object] | None = None,
    max_checkpoints: int = 500,
    patience: float = 60.0,
    virtual_time: bool = True,
) -> int:
    """Run a scenario again and again, cancelling the call in it a little later each time, until it gets by.

    ::

        def test_a_cancelled_receive_loses_nothing() -> None:
            async def scenario(point: CancelPoint) -> None:
                send, receive = trio.open_memory_channel[int](1)
                send.send_nowait(1)                     # prepare: never cancelled
                got: list[int] = []
                with point:
                    got.append(await receive.receive())
                if not got:                             # check: never cancelled
                    assert receive.receive_nowait() == 1

            cancel_at_every_checkpoint(scenario)

    Synchronous: each attempt is a Trio run of its own, so tasks that the scenario leaves behind cannot
    outlive it. See `CancelPoint` for the moments. Whatever an attempt raises goes through with a note of
    the moment. ``check`` is called after each attempt, outside of Trio. ``patience``: seconds that an attempt
    may take, on a clock that jumps when all tasks wait, or, without ``virtual_time``, on the real one (for a
    scenario that waits for a socket, thread or process).

    :returns: how many checkpoints the call has when nobody cancels it
    :raises AssertionError: the call came to its end in a scope that was cancelled before it: it is no
        checkpoint, or swallows ``Cancelled``; or it has more than ``max_checkpoints``
    :raises trio.TooSlowError: an attempt did not end
    :raises UsageError: the scenario did not enter its point
    """
    for moment in range(2 * max_checkpoints + 2):
        point = CancelPoint(moment)
        try:
            _attempt(scenario, point, patience, virtual_time)
            if check is not None:
                check()
        except BaseException as error:
            error.add_note(f"cancel_at_every_checkpoint: {point.story()}")
            raise
        if not point.reached:
            return moment // 2
    raise AssertionError(
        f"the call has more than max_checkpoints={max_checkpoints}: give more if that is right, else see"
        " where it goes round in circles"
    )


def _attempt(
    scenario: Callable[[CancelPoint], Awaitable[object]],
    point: CancelPoint,
    patience: float,
    virtual_time: bool,
) -> None:
    async def main() -> None:
        with trio.fail_after(patience):
            await scenario(point)

    trio.run(main, clock=MockClock(autojump_threshold=0) if virtual_time else None, instruments=[point])
    if not point.entered:
        raise UsageError("the scenario did not enter its point: put the call under test in `with point:`")
    if point.moment == 0 and not point.cancelled:
        raise AssertionError(
            "the call came to its end though it was cancelled before it began: it is no checkpoint, or it"
            " swallows trio.Cancelled"
        )


def _await_stack(task: Task) -> str:
    """Where a task waits, innermost function first."""
    frames = traceback.StackSummary.extract(task.iter_await_frames(), lookup_lines=False)
    places = [f"{frame.name} ({PurePath(frame.filename).name}:{frame.lineno})" for frame in frames]
    return " < ".join(reversed(places))
