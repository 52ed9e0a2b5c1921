"""TASK_SESSION_MACHINE, walked beside the real objects at both ends of a connection."""

from __future__ import annotations

import pytest
from hypothesis import given

from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Command,
    Result,
    ResultStatus,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    ToolType,
)
from aip_trio.protocol import (
    TASK_SESSION_MACHINE,
    TaskExecutionProtocol,
    TaskSessionEvent,
    TaskSessionState,
)
from aip_trio.testing import Edge, every_edge, run_walk, walks
from tests.actors.model._settings import examples
from tests.protocol.near import REFUSALS, Near, NoCause, Opener, opener

_OK, _ERROR, _GO_ON = TaskStatus.OK, TaskStatus.ERROR, TaskStatus.CONTINUE
_COMMAND = Command(tool_name="look", tool_type=ToolType.ACTION)
_RESULT = Result(status=ResultStatus.SUCCESS)


# On the wire a cancelled session has failed; CANCEL is for `TaskSession`, whose own walk has it.
_TASK_EDGES = [edge for edge in every_edge(TASK_SESSION_MACHINE) if TaskSessionEvent.CANCEL not in edge.walk]
_TASK_WALKS = walks(TASK_SESSION_MACHINE).map(
    lambda walk: tuple(event for event in walk if event is not TaskSessionEvent.CANCEL)
)


class Working(Near[TaskExecutionProtocol, TaskSessionState, TaskSessionEvent]):
    """Either end of a session that was asked for."""

    @property
    def state(self) -> TaskSessionState:
        state = self.near.session_state("s")
        assert state is not None
        return state

    async def greet(self) -> None:
        await super().greet()
        await self.pass_on(ClientMessage(type=ClientMessageType.TASK, status=_GO_ON, session_id="s"))

    async def _begin(self) -> None:
        """On the wire a session begins with its first command; one that has ended, anew."""
        if self.state is TaskSessionState.REQUESTED:
            await self._send_command()
            await self._results()
        elif not TASK_SESSION_MACHINE.table[self.state]:
            raise NoCause
        else:
            offer = ServerMessage(type=ServerMessageType.TASK, status=_GO_ON, session_id="s")
            await self.pass_on(offer)

    async def _command(self) -> None:
        self._only_once_begun()
        await self._send_command()

    def _only_once_begun(self) -> None:
        """What comes first also begins the session: that would be two events."""
        if self.state is TaskSessionState.REQUESTED:
            raise NoCause

    async def _send_command(self) -> None:
        message = ServerMessage(
            type=ServerMessageType.COMMAND, status=_GO_ON, session_id="s", actions=[_COMMAND]
        )
        await self.pass_on(message, lambda: self.near.send_commands([_COMMAND], "s", "r"))

    async def _results(self) -> None:
        message = ClientMessage(
            type=ClientMessageType.COMMAND_RESULTS, status=_GO_ON, session_id="s", action_results=[_RESULT]
        )
        await self.pass_on(message, lambda: self.near.send_command_results([_RESULT], "s", "dev", "r"))

    async def _complete(self) -> None:
        self._only_once_begun()
        await self._end(TaskStatus.COMPLETED)

    async def _fail(self) -> None:
        await self._end(TaskStatus.FAILED)

    async def _end(self, status: TaskStatus) -> None:
        message = ServerMessage(type=ServerMessageType.TASK_END, status=status, session_id="s")
        await self.pass_on(message, lambda: self.near.send_task_end("s", status))


class GivingUp(Working):
    """The device ends its sessions itself; the server does, where they have ended and may not end again."""

    async def _end(self, status: TaskStatus) -> None:
        if not TASK_SESSION_MACHINE.table[self.state]:
            await super()._end(status)
            return
        message = ClientMessage(type=ClientMessageType.TASK_END, status=status, session_id="s")
        await self.pass_on(message, lambda: self.near.send_task_end_ack("s", "dev", status))


_WORKERS = [
    pytest.param(opener(subject, TaskExecutionProtocol, serves=serves), id=f"{subject.__name__}-{serves=}")
    for subject in (Working, GivingUp)
    for serves in (True, False)
]
OpenWorker = Opener[TaskExecutionProtocol, TaskSessionState, TaskSessionEvent]


@pytest.mark.parametrize("open_worker", _WORKERS)
@pytest.mark.parametrize("edge", _TASK_EDGES, ids=str)
def test_task_session_edge(open_worker: OpenWorker, edge: Edge[TaskSessionState, TaskSessionEvent]) -> None:
    run_walk(TASK_SESSION_MACHINE, open_worker, edge.walk, refusals=REFUSALS)


@pytest.mark.parametrize("open_worker", _WORKERS)
@examples(20)
@given(walk=_TASK_WALKS)
def test_task_session_walk(open_worker: OpenWorker, walk: tuple[TaskSessionEvent, ...]) -> None:
    run_walk(TASK_SESSION_MACHINE, open_worker, walk, refusals=REFUSALS)
