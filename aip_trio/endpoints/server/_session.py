"""What a task function works with."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import attrs

from aip_trio.actors import ActorRef
from aip_trio.endpoints.server._directory import TaskOrder
from aip_trio.endpoints.server._messages import Logged
from aip_trio.errors import ActorStopped, MailboxFull
from aip_trio.messages import Command, Result
from aip_trio.protocol import Chain, ChainTurn

__all__ = ["Session", "TaskFunction"]

logger = logging.getLogger("aip_trio.endpoints")

TakeTurn: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Result]]]

#: Lines of a session's log, and characters of one: together they always fit into a message.
_LOG_LINES, _LOG_LINE = 1000, 10_000


def _line(message: object) -> str:
    """What a line can be on the wire: text, in UTF-8, of a limited length."""
    return str(message)[:_LOG_LINE].encode(errors="backslashreplace").decode()


@attrs.frozen(eq=False, init=False)
class Session:
    """A task of one device, as the server's task function sees it.

    The function's return value is the task's result, and must be of JSON's types; an exception fails the
    task, `TaskFailed` with a reason and a result of its own.
    """

    id: str
    request: str
    task_name: str
    #: of the task's request
    metadata: Mapping[str, Any]
    device_id: str
    #: of the device's registration
    device_metadata: Mapping[str, Any]
    _execute: TakeTurn
    _task: ActorRef
    _log: list[str]
    _chain: Chain

    def __init__(
        self, order: TaskOrder, execute: TakeTurn, task: ActorRef, log: list[str], chain: Chain
    ) -> None:
        self.__attrs_init__(  # pyright: ignore  # attrs makes it, unseen
            order.session_id,
            order.request,
            order.task_name,
            order.metadata,
            order.device.id,
            order.device.register.metadata or {},
            execute,
            task,
            log,
            chain,
        )

    async def execute(self, commands: Command | Sequence[Command]) -> list[Result]:
        """Have the device run these commands in order; one result for each, in the same order.

        A checkpoint. Batches of one session run one after another. A command that fails is a failed
        result, not an exception. Raises EncodeError where a parameter is no JSON. Where the device goes, or
        answers with another number of results, the task fails, and this call is cancelled with it.
        """
        batch = (commands,) if isinstance(commands, Command) else tuple(commands)
        return await self._execute(batch)

    @property
    def turns(self) -> tuple[ChainTurn, ...]:
        """The commands so far, each with its results, the oldest first; None where these are still awaited.

        Of a long session the last 256 turns, with 4 MiB of results at most.
        """
        return self._chain.turns

    def log(self, message: str) -> None:
        """Say how it goes: to the server's log, and to both ends with the word that the task has ended.

        On AIP's wire it is the field ``messages``. An orchestrator of ours is told at once, too. A task has
        room for 1000 lines; what comes after is in the server's log alone.
        """
        line = _line(message)
        logger.info("task %s: %s", self.id, line)
        if len(self._log) < _LOG_LINES:
            self._log.append(line)
            with suppress(MailboxFull, ActorStopped):  # then the next line takes this one along
                self._task.tell_nowait(Logged())


#: ``async def function(session) -> result``
TaskFunction: TypeAlias = Callable[[Session], Awaitable[Any]]
