"""One running task: an actor between the function that does it, the device and who asked for it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import attrs
import trio

from aip_trio.actors import Actor, Reply, StopReason, Terminated, handles
from aip_trio.endpoints.server._directory import Client, TaskOrder
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._messages import Assign, Ended, Execute, Logged, Outcome, Release, WindUp
from aip_trio.endpoints.server._session import Session
from aip_trio.errors import ActorStopped, EncodeError, ResultsMismatch, TaskFailed
from aip_trio.messages import (
    Command,
    CommandResults,
    OfferTask,
    Result,
    RunCommands,
    TaskEnded,
    TaskStatus,
)
from aip_trio.protocol import TaskSession

__all__ = ["Task"]

logger = logging.getLogger("aip_trio.endpoints")

#: Seconds for the word that a task has ended, where a peer does not read: by then its connection is dead
#: (see `DeviceServerEndpoint`, ping_timeout), or the server stops.
_PATIENT, _HURRIED = 60.0, 2.0


class Task(Actor):
    """Runs the server's task function over a `Session`, and tells both ends what came of it, once.

    Commands go out one batch at a time, in the order in which they were asked for.
    """

    def __init__(self, hub: Hub, order: TaskOrder) -> None:
        self._hub = hub
        self._order = order
        self._turns = TaskSession(order.session_id)
        self._queue: deque[tuple[Sequence[Command], Reply[list[Result]]]] = deque()
        self._awaiting: Reply[list[Result]] | None = None
        self._outcome: Outcome | None = None
        self._working = trio.CancelScope()
        #: lines that the function logged, and how many of them the asker has been told already
        self._log: list[str] = []
        self._shown = 0
        self._reporting = False

    async def started(self) -> None:
        """Watch both ends, and set the function going."""
        order = self._order
        order.task = self.ref
        self.monitor(order.device.session)
        if order.asker is not order.device:
            self.monitor(order.asker.session)
        self._turns.begin()
        self.nursery.start_soon(self._work, Session(order, self.ref, self._log))

    async def _work(self, context: Session) -> None:
        with suppress(ActorStopped):  # then the monitor tells
            await self._order.device.session.tell(Assign(self._order.session_id, self.ref))
        with self._working:
            await self.ref.tell(Ended(await self._run(context)))

    async def _run(self, context: Session) -> Outcome:
        """The function; whatever it raises is the task's outcome, and never this actor's crash."""
        try:
            return Outcome(TaskStatus.COMPLETED, await self._hub.function(context))
        except TaskFailed as failed:
            return Outcome(TaskStatus.FAILED, failed.result, failed.reason)
        except Exception as error:
            logger.warning("task %s: its function failed", self._order.session_id, exc_info=error)
            return Outcome(TaskStatus.FAILED, error=f"{type(error).__name__}: {error}")

    @handles
    async def execute(self, message: Execute, reply: Reply[list[Result]]) -> None:
        """Commands of the function: sent when it is their turn."""
        self._queue.append((message.commands, reply))
        await self._next()

    async def _next(self) -> None:
        while self._awaiting is None and self._queue:
            commands, reply = self._queue.popleft()
            if reply.withdrawn:
                continue
            await self._send(commands, reply)

    async def _send(self, commands: Sequence[Command], reply: Reply[list[Result]]) -> None:
        response_id = self.system.environment.new_id()
        numbered = [
            command if command.call_id else attrs.evolve(command, call_id=f"{response_id}-{number}")
            for number, command in enumerate(commands)
        ]
        message = RunCommands(numbered, self._order.session_id, response_id, task_name=self._order.task_name)
        try:
            await self._order.device.line.send(message)
        except EncodeError as error:  # the function's mistake, and its to mend
            reply.fail(error)
        else:
            self._turns.command(response_id, numbered)
            self._awaiting = reply

    @handles
    async def logged(self, message: Logged) -> None:
        """Tell the asker how it goes, where it wants to know; if it does not read, nothing else waits."""
        if self._order.asker.wants_progress and not self._reporting:
            self._reporting = True
            self.nursery.start_soon(self._report)

    async def _report(self) -> None:
        progress = OfferTask("", self._order.task_name, self._order.session_id)
        while self._outcome is None and self._shown < len(self._log):  # several lines may go at once
            lines, self._shown = self._log[self._shown :], len(self._log)
            await self._order.asker.line.send(progress, lines)
        self._reporting = False

    @handles
    async def results(self, message: CommandResults) -> None:
        """From the device: what the commands in hand came to."""
        turn = self._turns.turn
        try:
            results = self._turns.results(message.prev_response_id, message.action_results)
        except ResultsMismatch as error:
            await self._order.device.line.refuse(str(error), session_id=self._order.session_id)
            if turn is not None and message.prev_response_id == turn.response_id:
                # This was the answer: there will be no other.
                self._end(Outcome(TaskStatus.FAILED, error=str(error)))
            return
        if self._awaiting is not None:
            self._awaiting.send(list(results))
        self._awaiting = None
        await self._next()

    @handles
    async def ended(self, message: Ended) -> None:
        """The function has returned, or the device has ended the task."""
        self._end(message.outcome)

    @handles
    async def wind_up(self, message: WindUp) -> None:
        """Somebody cancels the task."""
        self._end(Outcome(TaskStatus.FAILED, error=message.reason))

    @handles
    async def gone(self, message: Terminated) -> None:
        """One of the two ends has gone (wire/aip.md, 7)."""
        lost = message.ref == self._order.device.session
        reason = "device_disconnected" if lost else "constellation_disconnected"
        self._end(Outcome(TaskStatus.FAILED, error=reason))

    def _end(self, outcome: Outcome) -> None:
        """The first outcome stands; `stopping` tells it. The function is not wanted any more."""
        if self._outcome is None:
            self._outcome = outcome
        self._working.cancel()
        self.stop()

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Whatever happened: both ends hear of it once, and the directory forgets the session."""
        outcome = self._outcome
        if outcome is None:
            why = "server_stopping" if isinstance(reason, StopReason) else "internal_error"
            outcome = Outcome(TaskStatus.FAILED, error=why)
        self._turns.end(outcome.status)
        self._hub.directory.close(self._order)
        with trio.move_on_after(_HURRIED if reason is StopReason.SHUTDOWN else _PATIENT):
            async with trio.open_nursery() as nursery:
                for client in {self._order.asker, self._order.device}:
                    nursery.start_soon(self._tell, client, outcome)
                nursery.start_soon(self._release)

    async def _tell(self, client: Client, outcome: Outcome) -> None:
        end = TaskEnded(
            self._order.session_id,
            outcome.status,
            result=outcome.result,
            error=outcome.error,
            response_id=self.system.environment.new_id(),
            task_name=self._order.task_name,
        )
        try:
            await client.line.send(end, self._log)
        except EncodeError as error:
            end = attrs.evolve(end, status=TaskStatus.FAILED, result=None, error=str(error))
            await client.line.send(end, self._log)

    async def _release(self) -> None:
        with suppress(ActorStopped):
            await self._order.device.session.tell(Release(self._order.session_id, self.ref))
