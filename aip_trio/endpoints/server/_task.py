"""One running task: an actor between the function that does it, the device and who asked for it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import attrs
import trio

from aip_trio.actors import Actor, StopReason, Terminated, handles
from aip_trio.endpoints._foreign import foreign
from aip_trio.endpoints.server._directory import Client, TaskOrder
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._messages import Ended, Logged, Outcome, WindUp
from aip_trio.endpoints.server._session import Session
from aip_trio.endpoints.server._turns import OpenTurn
from aip_trio.errors import EncodeError, TaskFailed
from aip_trio.errors._base import told
from aip_trio.messages import (
    Command,
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
        self._turn: OpenTurn | None = None
        self._taking = False
        self._line_up = trio.lowlevel.ParkingLot()
        self._outcome: Outcome | None = None
        self._working = trio.CancelScope()
        #: lines that the function logged, and how many of them the asker has been told already
        self._log: list[str] = []
        self._shown = 0
        self._reporting = False

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """Watch both ends, and set the function going."""
        order = self._order
        order.task = self.ref
        #: its turns' ids begin with it: one of an earlier task under this session_id answers none of them
        self._name = self.system.environment.new_id()
        self.monitor(order.device.session)
        if order.asker is not order.device:
            self.monitor(order.asker.session)
        self._turns.begin()
        context = Session(order, self._take_turn, self.ref, self._log, self._turns.chain)
        self.nursery.start_soon(self._work, context)

    async def _work(self, context: Session) -> None:
        with self._working:
            await self.ref.tell(Ended(await self._run(context)))

    async def _run(self, context: Session) -> Outcome:
        """The function; whatever it raises is the task's outcome, and never this actor's crash."""
        try:
            return Outcome(TaskStatus.COMPLETED, await self._hub.function(context))
        except TaskFailed as failed:
            return Outcome(TaskStatus.FAILED, failed.result, failed.reason)  # noqa: ASYNC910 - internal
        except BaseException as error:  # noqa: ASYNC103 - raised where it is ours
            if not foreign(error):
                raise
            logger.warning("task %s: its function failed", self._order.session_id, exc_info=error)
            return Outcome(TaskStatus.FAILED, error=told(error))  # noqa: ASYNC104, ASYNC910 - internal

    async def _take_turn(self, commands: Sequence[Command]) -> list[Result]:
        """Of the function, in its own task: no hop to this actor's. One batch at a time, first come first."""
        if self._taking:
            await self._line_up.park()
        self._taking = True
        try:
            if self._turn is not None:  # its asker has given it up, but the device is at it
                await self._turn.wait()
            self._turn = await self._send(commands)
            results = await self._turn.wait()
            self._turn = None
            return results
        finally:
            self._taking = bool(self._line_up)
            self._line_up.unpark()

    async def _send(self, commands: Sequence[Command]) -> OpenTurn:
        response_id = f"{self._name}-{self._turns.turns}"
        numbered = [
            command if command.call_id else attrs.evolve(command, call_id=f"{response_id}-{number}")
            for number, command in enumerate(commands)
        ]
        device = self._order.device
        message = RunCommands(numbered, self._order.session_id, response_id, task_name=self._order.task_name)
        data = await device.line.pack(message)  # what cannot be encoded is the function's to mend
        self._turns.command(response_id, numbered)
        turn = device.turns.begin(self._turns, self.ref)
        await device.line.write(data)
        return turn

    @handles
    async def logged(self, message: Logged) -> None:
        """Tell the asker how it goes, where it wants to know; if it does not read, nothing else waits."""
        if self._order.asker.wants_progress and not self._reporting:
            self._reporting = True
            self.nursery.start_soon(self._report)

    async def _report(self) -> None:  # noqa: ASYNC910 - internal
        progress = OfferTask("", self._order.task_name, self._order.session_id)
        while self._outcome is None and self._shown < len(self._log):  # several lines may go at once
            lines, self._shown = self._log[self._shown :], len(self._log)
            await self._order.asker.line.send(progress, lines)
        self._reporting = False

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
        self._order.device.turns.end(self._turns)
        self._hub.directory.close(self._order)
        hurried = reason is StopReason.SHUTDOWN or self._hub.directory.closing
        with trio.move_on_after(_HURRIED if hurried else _PATIENT):
            async with trio.open_nursery() as nursery:
                for client in {self._order.asker, self._order.device}:
                    nursery.start_soon(self._tell, client, outcome)

    async def _tell(self, client: Client, outcome: Outcome) -> None:
        end = TaskEnded(
            self._order.session_id,
            outcome.status,
            result=outcome.result,
            error=outcome.error,
            # The asker may have given up another task with this session_id: its request tells them apart.
            response_id=self._order.request_id or self.system.environment.new_id(),
            task_name=self._order.task_name,
        )
        try:
            await client.line.send(end, self._log)
        except EncodeError as error:
            end = attrs.evolve(end, status=TaskStatus.FAILED, result=None, error=str(error))
            await client.line.send(end, self._log)
