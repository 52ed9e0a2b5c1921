"""Judging a real object by its machine, step by step."""

from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from typing import Generic, TypeVar

import attrs

from ..errors import IllegalTransition
from ..machine import Machine

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

Refusals = tuple[type[Exception], ...]
REFUSALS: Refusals = (IllegalTransition,)


@attrs.define(slots=False)
class Mismatch(AssertionError):
    """The object does not behave like its machine.

    ``events`` are those fired so far, the last one included; ``expected`` is the state by the table;
    ``actual`` the object's, None where it could not be read. ``story`` tells the steps one by one.
    """

    machine: str
    problem: str
    events: tuple[Enum, ...]
    expected: Enum
    actual: object
    story: str

    def __str__(self) -> str:
        return (
            f"machine {self.machine!r}: {self.problem}\n"
            f"  expected state: {_name(self.expected)}\n"
            f"  actual state:   {_name(self.actual) if self.actual is not None else 'unknown'}\n"
            f"{self.story}"
        )


@attrs.frozen
class _Step(Generic[S, E]):
    before: S
    event: E
    after: S
    legal: bool

    @property
    def told(self) -> str:
        return f"{self.event.name} in state {self.before.name}"

    def __str__(self) -> str:
        outcome = f"--> {self.after.name}" if self.legal else "refused"
        return f"{self.before.name} -- {self.event.name} {outcome}"


class Referee(Generic[S, E]):
    """Follows an object through its machine and raises `Mismatch` where they part.

    Without I/O: the caller fires, inside ``judging(event)``, and then hands the state to ``compare``.
    """

    def __init__(self, machine: Machine[S, E], refusals: Refusals = REFUSALS) -> None:
        self._machine = machine
        self._refusals = refusals
        self._tracker = machine.start()
        self._steps: list[_Step[S, E]] = []
        self._problem: str | None = None
        self._refusal: Exception | None = None

    @property
    def legal(self) -> tuple[E, ...]:
        return self._tracker.legal

    @property
    def illegal(self) -> tuple[E, ...]:
        return tuple(event for event in self._machine.events if not self._tracker.can(event))

    @contextmanager
    def judging(self, event: E) -> Generator[None]:
        """Around firing the event: swallows a refusal, and notes whether it was right or wrong."""
        step = self._advance(event)
        try:
            yield
        except self._refusals as refusal:
            if step.legal:
                self._problem = f"legal event {step.told} was refused: {refusal!r}"
                self._refusal = refusal
        except Exception as error:
            error.add_note(f"machine {self._machine.name!r}, firing {event.name}\n{self._story()}")
            raise
        else:
            if not step.legal:
                names = " or ".join(refusal.__qualname__ for refusal in self._refusals)
                self._problem = f"illegal event {step.told} was accepted, without {names}"

    def compare(self, actual: object) -> None:
        """Raise `Mismatch` unless the last event was judged right and the object's state is the table's.

        By identity: a member of another enum is another state, even an equal one.
        """
        if self._problem is not None:
            raise self._mismatch(self._problem, actual) from self._refusal
        if actual is not self._tracker.state:
            raise self._mismatch(self._wrong_state(), actual)

    def hang(self, event: E, seconds: float) -> Mismatch:
        """The error for an event whose firing, or whose state afterwards, does not come."""
        return self._mismatch(f"event {event.name} hangs: nothing within patience={seconds} s", None)

    def _advance(self, event: E) -> _Step[S, E]:
        before, legal = self._tracker.state, self._tracker.can(event)
        step = _Step(before, event, self._tracker.fire(event) if legal else before, legal)
        self._steps.append(step)
        return step

    def _wrong_state(self) -> str:
        if not self._steps:
            return "wrong initial state"
        last = self._steps[-1]
        kind = "legal" if last.legal else "illegal (and refused)"
        return f"wrong state after {kind} event {last.event.name}"

    def _mismatch(self, problem: str, actual: object) -> Mismatch:
        events = tuple(step.event for step in self._steps)
        return Mismatch(self._machine.name, problem, events, self._tracker.state, actual, self._story())

    def _story(self) -> str:
        lines = [f"    {number}. {step}" for number, step in enumerate(self._steps, 1)]
        return "\n".join(["  events so far, by the table:", *(lines or ["    none"])])


def _name(value: object) -> str:
    return f"{type(value).__name__}.{value.name}" if isinstance(value, Enum) else repr(value)
