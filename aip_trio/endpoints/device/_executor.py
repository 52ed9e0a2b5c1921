"""Does what a device is told: one batch of commands at a time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from typing import Protocol

import attrs
import trio

from aip_trio.actors import Actor, Request, handles
from aip_trio.endpoints._foreign import foreign
from aip_trio.endpoints.connection import ClientLine, LineDown, LineUp, Taker
from aip_trio.endpoints.device._agenda import Agenda, Entry
from aip_trio.errors._base import show, told
from aip_trio.messages import (
    CommandResults,
    FromServer,
    Result,
    ResultStatus,
    RunCommands,
    ServerMessage,
    TaskEnded,
    widen_server,
)

__all__ = ["Answer", "AskTaker", "Client", "Executor"]

logger = logging.getLogger("aip_trio.endpoints")


class Client(Protocol):
    """What does the work on a device: the ``ufo_client`` of seed 000, or a `ToolClient`."""

    client_id: str
    platform: str
    session_id: str | None

    def reset(self) -> object:
        """A session has ended: forget what belonged to it."""
        ...

    def execute_step(self, server_message: ServerMessage, /) -> Awaitable[Sequence[Result]]:
        """Do the message's actions in order; one result for each."""
        ...


@attrs.frozen
class AskTaker(Request[Taker]):
    """To the executor, once a connection is up: what deals with the commands that come over it."""


@attrs.frozen
class Answer:
    """To the executor: the results of these commands are known; send them."""

    batch: RunCommands
    results: Sequence[Result]


class Executor(Actor):
    """One task at a time, its commands in order; a task that ended is dropped, and what runs is cancelled.

    Every task ends with the connection; where its link resumes (`aip.v2`), that is the end of the link's
    window. It outlives connections itself: what a command has done to the device stays done.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._agenda = Agenda()
        self._idle = trio.lowlevel.ParkingLot()  # where the worker waits
        self._scope: trio.CancelScope | None = None
        self._line: ClientLine | None = None

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """One worker for all batches."""
        self.nursery.start_soon(self._work)

    @handles
    async def ask_taker(self, message: AskTaker) -> Taker:
        """What the link of a connection that is up puts on the agenda with."""
        return self._take

    def _take(self, message: FromServer) -> object | None:
        """Of the link, in its task: no hop to this actor's. What is not about commands is returned."""
        if isinstance(message, RunCommands):
            return self._put(message)
        if isinstance(message, TaskEnded):
            self._cancel(self._agenda.drop(message.session_id))
            return None
        return message

    def _put(self, batch: RunCommands) -> Answer | None:
        """On the agenda; what was done already is answered again, and not done again."""
        match self._agenda.add(batch, once=self._line is not None and self._line.resumes):
            case Entry.TAKEN:
                self._idle.unpark()
                return None
            case Entry.FULL:
                reason = f"the device is busy: {self._agenda.limit} batches of commands wait already"
                return Answer(batch, _failures(batch, reason))
            case Entry.REPEATED:
                known = self._agenda.answer(batch)
                return None if known is None else Answer(batch, known)  # None: it is on its way

    @handles
    async def answer(self, message: Answer) -> None:
        """In the actor's task: while the server does not read, its link waits for this one, in the end."""
        await self._answer(message.batch, message.results)

    @handles
    async def line_down(self, message: LineDown) -> None:
        """All sessions have ended with the connection."""
        if self._line is message.line:
            self._line = None
        self._cancel(self._agenda.clear())

    @handles
    async def line_up(self, message: LineUp) -> None:
        """Where results go to, from now on."""
        self._line = message.line

    def _cancel(self, wanted: bool) -> None:
        if wanted and self._scope is not None:
            self._scope.cancel()

    async def _work(self) -> None:
        while True:
            with trio.CancelScope() as self._scope:
                while not self._scope.cancel_called:  # one that was meant for a batch is for no other
                    await self._work_off()
            self._agenda.done()

    async def _work_off(self) -> None:
        """The next batch, once there is one."""
        batch = self._agenda.next()
        if batch is None:
            await self._idle.park()
            return
        results = await self._execute(batch)
        await self._answer(batch, results)
        self._agenda.done(results)

    async def _execute(self, batch: RunCommands) -> Sequence[Result]:
        """Whatever the client raises, each command has its result."""
        try:
            self._turn_to(batch.session_id)
            results = await self._client.execute_step(widen_server(batch))
        except BaseException as error:  # noqa: ASYNC103 - raised where it is ours
            if not foreign(error):
                raise
            logger.warning("commands of task %s failed", batch.session_id, exc_info=error)
            return _failures(batch, told(error))  # noqa: ASYNC104, ASYNC910 - internal
        fault = _fault(results, len(batch.actions))
        return results if fault is None else _failures(batch, fault)

    def _turn_to(self, session_id: str) -> None:
        """Another session than the last one's begins with a reset."""
        client = self._client
        if client.session_id != session_id:
            if client.session_id is not None:
                client.reset()
            client.session_id = session_id

    async def _answer(self, batch: RunCommands, results: Sequence[Result]) -> None:  # noqa: ASYNC910 - internal
        if self._line is not None:
            await self._line.send_or_say(CommandResults(results, batch.session_id, batch.response_id))


def _fault(results: Sequence[Result], wanted: int) -> str | None:
    """Why what the device's program returned is no answer, whatever it was to return; or None."""
    if not isinstance(results, Sequence) or not all(isinstance(each, Result) for each in results):
        return f"the device's program returned no results: {show(results)}"
    if len(results) != wanted:
        return f"the device's program returned {len(results)} results of {wanted} commands"
    return None


def _failures(batch: RunCommands, reason: str) -> list[Result]:
    return [
        Result(status=ResultStatus.FAILURE, error=reason, call_id=command.call_id)
        for command in batch.actions
    ]
