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

    def settle(self, message: CommandResults, size: int = 0) -> None:
        """Raises ResultsMismatch; of what answers these commands, and wrongly, the task fails."""
        try:
            results = self.session.results(message.prev_response_id, message.action_results, size)
        except ResultsMismatch as error:
            self.fail(message.prev_response_id, str(error))
            raise
        self.results = list(results)
        self._come.set()

    def fail(self, prev_response_id: str | None, reason: str) -> None:
        """There will be no other answer to these commands than one that cannot be taken: their task fails."""
        turn = self.session.turn
        if turn is not None and prev_response_id == turn.response_id:
            with suppress(ActorStopped, MailboxFull):  # it ends already
                self.task.tell_nowait(Ended(Outcome(TaskStatus.FAILED, error=reason)))


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

    def settle(self, message: CommandResults, size: int = 0) -> None:
        """Results have come, in ``size`` bytes. Raises ResultsMismatch where they are nobody's, or wrong."""
        turn = self._open.get(message.session_id)
        if turn is None:
            raise ResultsMismatch(
                message.session_id, "no task of this device waits for results under that id"
            )
        turn.settle(message, size)
        del self._open[message.session_id]

    def fail(self, session_id: str, prev_response_id: str | None, reason: str) -> None:
        """Results have come, and go no further: whoever waits for them waits in vain."""
        turn = self._open.get(session_id)
        if turn is not None:
            turn.fail(prev_response_id, reason)
