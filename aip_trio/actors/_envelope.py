"""A message on its way."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import attrs

from aip_trio.errors import NoSystem

if TYPE_CHECKING:
    from aip_trio.actors._answer import Answer
    from aip_trio.actors._cell import Cell
    from aip_trio.actors._ref import ActorRef
    from aip_trio.actors._system import ActorSystem

__all__ = ["Envelope", "Here", "here", "tracing"]


@attrs.frozen(eq=False)
class Here:
    """Where a task runs: in which system, for which actor, in the course of which trace."""

    system: ActorSystem
    cell: Cell | None = None
    trace: str | None = None


#: Read by every send. A task that an actor starts inherits it.
here: ContextVar[Here | None] = ContextVar("aip_trio.actors.here", default=None)


@contextmanager
def tracing(trace: str) -> Generator[None]:
    """Mark what is sent inside, and what its handlers send in turn, with this trace.

    Must be used in a task of a running system; an `Observer` sees the trace in each envelope.
    """
    current = here.get()
    if current is None:
        raise NoSystem("tracing()")
    token = here.set(attrs.evolve(current, trace=trace))
    try:
        yield
    finally:
        here.reset(token)


@attrs.define(eq=False)
class Envelope:
    """A message, the place for its answer, and its headers.

    ``deadline`` is the asker's, in Trio's clock; infinite for a tell.
    """

    message: object
    answer: Answer[Any] | None = None
    origin: Here | None = None
    deadline: float = float("inf")

    @property
    def withdrawn(self) -> bool:
        """Whether it is a request whose asker has gone."""
        return self.answer is not None and self.answer.withdrawn

    @property
    def sender(self) -> ActorRef | None:
        """The actor that sent it, or None where a task outside of any actor did."""
        cell = self.origin.cell if self.origin is not None else None
        return cell.ref if cell is not None else None

    @property
    def trace(self) -> str | None:
        """The trace that it belongs to, if any."""
        return self.origin.trace if self.origin is not None else None

    @property
    def chain(self) -> tuple[str, ...]:
        """The paths of the actors that wait for this message's answer, the first asker first."""
        chain: list[str] = []
        envelope: Envelope | None = self
        while envelope is not None and envelope.answer is not None and envelope.origin is not None:
            cell = envelope.origin.cell
            if cell is None or cell.path in chain:
                break
            chain.insert(0, cell.path)
            envelope = cell.in_hand
        return tuple(chain)
