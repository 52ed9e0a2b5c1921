"""An answer that is given later."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import trio
from trio.lowlevel import enable_ki_protection

from aip_trio.errors import AlreadyReplied, NoSystem, ReplyDropped

if TYPE_CHECKING:
    from aip_trio.actors._answer import Answer
    from aip_trio.actors._cell import Cell

__all__ = ["Reply"]

R = TypeVar("R")


class Reply(Generic[R]):
    """The second parameter of a handler that does not hold up its mailbox: answer when you can.

    Hand it to a task in ``self.nursery`` and return. Use it once; a second answer raises
    `AlreadyReplied`. One that is thrown away unanswered fails its asker with `ReplyDropped`. For a
    message that was told, not asked, the answer goes nowhere.
    """

    __slots__ = ("__weakref__", "_answer", "_cell", "_message", "_used")

    def __init__(self, cell: Cell, message: object, answer: Answer[Any] | None) -> None:
        self._cell = cell
        self._message = message
        self._answer = answer
        self._used = answer is None

    @property
    def withdrawn(self) -> bool:
        """Whether the asker has gone: working on is wasted."""
        return self._answer is not None and self._answer.withdrawn

    @enable_ki_protection
    def send(self, value: R) -> None:
        """Answer with a value."""
        answer = self._take()
        if answer is not None:
            answer.send(value)

    @enable_ki_protection
    def fail(self, error: BaseException) -> None:
        """Answer with an exception, which is raised at the asker."""
        answer = self._take()
        if answer is not None:
            answer.fail(error)

    def _take(self) -> Answer[Any] | None:
        answer = self._answer
        if answer is None:
            return None
        if not trio.lowlevel.in_trio_run():
            raise NoSystem("answering with a Reply")
        if self._used:
            raise AlreadyReplied(self._cell.path, self._message)
        self._used = True
        self._cell.paid(answer)
        return answer

    def __del__(self) -> None:
        if self._used or self._answer is None or self._answer.settled:
            return
        # The collector runs in any thread, at any moment: let Trio's own loop tell the asker.
        answer, cell, message = self._answer, self._cell, self._message

        def drop() -> None:
            cell.paid(answer)
            answer.fail(ReplyDropped(cell.path, message))

        with contextlib.suppress(trio.RunFinishedError):  # then nobody is left who could wait
            cell.system.token.run_sync_soon(drop)
