"""The commands that a device was sent, and who waits for their results."""

from __future__ import annotations

from contextlib import suppress

import attrs
import trio

from aip_trio.actors import ActorRef
from aip_trio.endpoints.server._messages import Ended, Outcome
from aip_trio.errors import ActorStopped, MailboxFull, ResultsMismatch
from aip_trio.messages import CommandResults, Result, TaskStatus
from aip_trio.protocol import TaskSession

__all__ = ["OpenTurn", "OpenTurns"]


@attrs.define(eq=False)
class OpenTurn:
    """One batch of commands that the device is at."""

    session: TaskSession
    task: ActorRef
    results: list[Result] = attrs.field(init=False, factory=list[Result])
    _come: trio.Event = attrs.field(init=False, factory=trio.Event)

    async def wait(self) -> list[Result]:
        """Its results. A checkpoint; any number may wait."""
        await self._come.wait()
        return self.results

    def settle(self, message: CommandResults) -> None:
        """Raises ResultsMismatch; of what answers these commands, and wrongly, the task fails."""
        turn = self.session.turn
        try:
            self.results = list(self.session.results(message.prev_response_id, message.action_results))
        except ResultsMismatch as error:
            if turn is not None and message.prev_response_id == turn.response_id:  # there will be no other
                failed = Ended(Outcome(TaskStatus.FAILED, error=str(error)))
                with suppress(ActorStopped, MailboxFull):  # it ends already
                    self.task.tell_nowait(failed)
            raise
        self._come.set()


class OpenTurns:
    """Those of one device, by session: its link asks here whose the results are that have come.

    Who is not in it has no use for this device's results: so they count from the device alone that a
    session was assigned to (wire/aip.md, 2).
    """

    def __init__(self) -> None:
        self._open: dict[str, OpenTurn] = {}

    def begin(self, session: TaskSession, task: ActorRef) -> OpenTurn:
        """Commands of this session are about to be sent."""
        turn = self._open[session.session_id] = OpenTurn(session, task)
        return turn

    def end(self, session: TaskSession) -> None:
        """The session has ended; another one may have its id by now."""
        turn = self._open.get(session.session_id)
        if turn is not None and turn.session is session:
            del self._open[session.session_id]

    def settle(self, message: CommandResults) -> None:
        """Results have come from the device. Raises ResultsMismatch where they are nobody's, or wrong."""
        turn = self._open.get(message.session_id)
        if turn is None:
            raise ResultsMismatch(
                message.session_id, "no task of this device waits for results under that id"
            )
        turn.settle(message)
        del self._open[message.session_id]
