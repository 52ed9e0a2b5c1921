"""One task session as its server keeps it: wire/aip.md 4, without I/O."""

from collections.abc import Iterable, Sequence
from enum import Enum

import attrs

from aip_trio.errors import InvalidSpec
from aip_trio.machine import Machine, Tracker
from aip_trio.messages import Command, Result, TaskStatus
from aip_trio.protocol._chain import Chain, Turn

__all__ = ["TASK_SESSION_MACHINE", "TaskSession", "TaskSessionEvent", "TaskSessionState", "end_event"]


class TaskSessionState(Enum):
    """Where a task session stands."""

    REQUESTED = "requested"
    RUNNING = "running"
    AWAITING_RESULTS = "awaiting_results"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskSessionEvent(Enum):
    """What happens to a task session."""

    BEGIN = "begin"
    COMMAND = "command"
    RESULTS = "results"
    COMPLETE = "complete"
    FAIL = "fail"
    CANCEL = "cancel"


_STOPS = {
    TaskSessionEvent.FAIL: TaskSessionState.FAILED,
    TaskSessionEvent.CANCEL: TaskSessionState.CANCELLED,
}
_ENDS = {TaskSessionEvent.COMPLETE: TaskSessionState.COMPLETED, **_STOPS}

TASK_SESSION_MACHINE = Machine(
    "task session",
    initial=TaskSessionState.REQUESTED,
    terminal=frozenset({TaskSessionState.COMPLETED, TaskSessionState.FAILED, TaskSessionState.CANCELLED}),
    table={
        TaskSessionState.REQUESTED: {TaskSessionEvent.BEGIN: TaskSessionState.RUNNING, **_STOPS},
        TaskSessionState.RUNNING: {TaskSessionEvent.COMMAND: TaskSessionState.AWAITING_RESULTS, **_ENDS},
        # A task may do without the results of its last commands, and be complete.
        TaskSessionState.AWAITING_RESULTS: {
            TaskSessionEvent.RESULTS: TaskSessionState.RUNNING,
            # whoever asked for the commands has given up waiting, and is content without them
            TaskSessionEvent.COMPLETE: TaskSessionState.COMPLETED,
            **_ENDS,
        },
    },
)


def end_event(status: TaskStatus) -> TaskSessionEvent | None:
    """The event of a task_end with this status; None where the status says that it goes on."""
    if status in (TaskStatus.COMPLETED, TaskStatus.OK):
        return TaskSessionEvent.COMPLETE
    if status in (TaskStatus.FAILED, TaskStatus.ERROR):
        return TaskSessionEvent.FAIL
    return None


@attrs.define(eq=False)
class TaskSession:
    """The bookkeeping of one task session at the server: turns with the device, and exactly one end.

    Synchronous; keeps to `TASK_SESSION_MACHINE`: a call that its table lacks in this state raises
    IllegalTransition, and changes nothing.
    """

    session_id: str
    _life: Tracker[TaskSessionState, TaskSessionEvent] = attrs.field(
        init=False, factory=TASK_SESSION_MACHINE.start
    )
    _chain: Chain = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._chain = Chain(self.session_id)

    @property
    def state(self) -> TaskSessionState:
        """Where it stands."""
        return self._life.state

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._life.done

    @property
    def turn(self) -> Turn | None:
        """The commands whose results are awaited."""
        return self._chain.open

    @property
    def turns(self) -> int:
        """How many times the device was sent commands."""
        return self._chain.count

    @property
    def chain(self) -> Chain:
        """The turns so far."""
        return self._chain

    def begin(self) -> None:
        """The task runs."""
        self._life.fire(TaskSessionEvent.BEGIN)

    def command(self, response_id: str, actions: Iterable[Command]) -> Turn:
        """Commands are sent to the device; the next turn begins when their results have come."""
        self._life.fire(TaskSessionEvent.COMMAND)
        return self._chain.command(response_id, actions)

    def results(
        self, prev_response_id: str | None, action_results: Sequence[Result] | None, size: int = 0
    ) -> tuple[Result, ...]:
        """The device's results, checked against the commands that they answer, in the commands' order.

        ``size``: their bytes, for how long they are remembered.

        :raises ResultsMismatch: they are no answer to what was sent, or nothing is awaited; the session
            stays as it was, and the device may yet send the right ones
        """
        results = self._chain.results(prev_response_id, action_results, size)
        self._life.fire(TaskSessionEvent.RESULTS)
        return results

    def end(self, status: TaskStatus) -> TaskSessionState:
        """The session's one end: completed (status completed, ok) or failed (failed, error).

        :raises InvalidSpec: the status says that the session goes on
        """
        event = end_event(status)
        if event is None:
            raise InvalidSpec("status", status, "end a session with one of completed, ok, failed, error")
        return self._end(event)

    def cancel(self) -> TaskSessionState:
        """The session's one end: nobody waits for it any more."""
        return self._end(TaskSessionEvent.CANCEL)

    def _end(self, event: TaskSessionEvent) -> TaskSessionState:
        state = self._life.fire(event)
        self._chain.close()
        return state
