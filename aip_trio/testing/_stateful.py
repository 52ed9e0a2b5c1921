"""Machines as Hypothesis state machines."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import Generic, TypeVar, TypeVarTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ..machine import Machine
from ._guest import GuestRun
from ._perform import PATIENCE, compare_state, perform_step
from ._referee import REFUSALS, Referee, Refusals
from ._subject import AsyncSubject, Subject

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)
R = TypeVar("R")
Ts = TypeVarTuple("Ts")


class MachineRules(RuleBasedStateMachine, Generic[S, E]):
    """What the two state machines below have in common: which event comes next."""

    machine: Machine[S, E]
    refusals: Refusals = REFUSALS

    def __init__(self) -> None:
        super().__init__()
        self.referee = Referee(self.machine, self.refusals)

    @initialize()
    def start(self) -> None:
        self.begin()

    @precondition(lambda self: bool(self.referee.legal))
    @rule(event=st.runner().flatmap(lambda self: st.sampled_from(self.referee.legal)))
    def legal(self, event: E) -> None:
        self.step(event)

    @precondition(lambda self: bool(self.referee.illegal))
    @rule(event=st.runner().flatmap(lambda self: st.sampled_from(self.referee.illegal)))
    def illegal(self, event: E) -> None:
        self.step(event)

    @invariant()
    def agrees_with_the_machine(self) -> None:
        self.compare()

    def begin(self) -> None:
        """Open a subject."""
        raise NotImplementedError

    def step(self, event: E) -> None:
        """Fire one event at the subject."""
        raise NotImplementedError

    def compare(self) -> None:
        """Compare the subject's state to the machine's."""
        raise NotImplementedError


class MachineStateMachine(MachineRules[S, E]):
    """Walks a machine at random beside a real object, and compares the two after each step.

    ::

        class DoorWalk(MachineStateMachine[Door, Push]):
            machine = DOOR

            def open_subject(self) -> RealDoor:
                return RealDoor()

        TestDoorWalk = DoorWalk.TestCase

    ``subject`` is the object, for rules and invariants of your own; they must leave its state as it is.
    ``refusals``: the exception classes that count as "illegal here". Override ``teardown`` to close
    the object.
    """

    subject: Subject[S, E]

    def open_subject(self) -> Subject[S, E]:
        """A fresh object in the machine's initial state."""
        raise NotImplementedError(f"{type(self).__qualname__} must define open_subject()")

    def begin(self) -> None:
        self.subject = self.open_subject()

    def step(self, event: E) -> None:
        with self.referee.judging(event):
            self.subject.fire(event)

    def compare(self) -> None:
        self.referee.compare(self.subject.state)


class AsyncMachineStateMachine(MachineRules[S, E]):
    """As `MachineStateMachine`, for an object on Trio, held open by one `GuestRun` per walk, in virtual time.

    ::

        class DoorWalk(AsyncMachineStateMachine[Door, Push]):
            machine = DOOR

            def open_subject(self) -> AbstractAsyncContextManager[RealDoor]:
                return open_real_door()

        TestDoorWalk = DoorWalk.TestCase

    ``subject`` is the object; rules and invariants of your own use it by ``self.call(async_fn, *args)``.
    ``patience``: seconds of virtual time that an event, opening, or closing may take before it is a hang.
    """

    subject: AsyncSubject[S, E]
    patience: float = PATIENCE
    _run: GuestRun[AsyncSubject[S, E]] | None = None

    def open_subject(self) -> AbstractAsyncContextManager[AsyncSubject[S, E]]:
        """An async context manager of a fresh object in the machine's initial state."""
        raise NotImplementedError(f"{type(self).__qualname__} must define open_subject()")

    def call(self, async_fn: Callable[[*Ts], Awaitable[R]], *args: *Ts) -> R:
        """Run an async function in the object's Trio run, to its end."""
        if self._run is None:
            raise RuntimeError("no object is open yet: use rules and invariants, not @initialize()")
        return self._run.call(async_fn, *args)

    def begin(self) -> None:
        self._run = GuestRun(self.open_subject, patience=self.patience)
        self.subject = self._run.value

    def step(self, event: E) -> None:
        self.call(perform_step, self.referee, self.subject, event, self.patience)

    def compare(self) -> None:
        self.call(compare_state, self.referee, self.subject, self.patience)

    def teardown(self) -> None:
        if self._run is not None:
            self._run.close()
