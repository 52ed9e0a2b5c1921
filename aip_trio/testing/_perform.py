"""Performing a walk on a real object."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from enum import Enum
from typing import TypeVar

import trio
from trio.testing import MockClock

from ..machine import Machine
from ._referee import REFUSALS, Referee, Refusals
from ._subject import AsyncSubject, Subject

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

PATIENCE = 60.0


def perform_walk(
    machine: Machine[S, E], subject: Subject[S, E], walk: Iterable[E], *, refusals: Refusals = REFUSALS
) -> None:
    """Fire a walk's events at a fresh subject and compare it to the machine before and after each.

    An exception that is no refusal goes through, with a note of the events so far.

    :raises Mismatch: it refused a legal event, accepted an illegal one, or is in the wrong state
    """
    referee = Referee(machine, refusals)
    referee.compare(subject.state)
    for event in walk:
        with referee.judging(event):
            subject.fire(event)
        referee.compare(subject.state)


async def perform_walk_async(
    machine: Machine[S, E],
    subject: AsyncSubject[S, E],
    walk: Iterable[E],
    *,
    refusals: Refusals = REFUSALS,
    patience: float = PATIENCE,
) -> None:
    """As `perform_walk`, for a subject on Trio.

    ``patience``: seconds, by the run's clock, that one event may take before it counts as a hang.

    :raises Mismatch: also for an event that hangs
    """
    referee = Referee(machine, refusals)
    await compare_state(referee, subject, patience)
    for event in walk:
        await perform_step(referee, subject, event, patience)


async def compare_state(referee: Referee[S, E], subject: AsyncSubject[S, E], patience: float) -> None:
    """Compare where no event has just been fired."""
    with trio.fail_after(patience):
        referee.compare(await read_state(subject))


async def perform_step(
    referee: Referee[S, E], subject: AsyncSubject[S, E], event: E, patience: float
) -> None:
    """One event of a walk, and the comparison after it."""
    with trio.move_on_after(patience) as scope:
        with referee.judging(event):
            await subject.fire(event)
        referee.compare(await read_state(subject))
    if scope.cancelled_caught:
        raise referee.hang(event, patience)


async def read_state(subject: AsyncSubject[S, E]) -> S:
    """A subject's state, awaited where that is needed."""
    state = subject.state
    if isinstance(state, Awaitable):
        return await state
    await trio.lowlevel.checkpoint()
    return state


def run_walk(
    machine: Machine[S, E],
    open_subject: Callable[[], AbstractAsyncContextManager[AsyncSubject[S, E]]],
    walk: Iterable[E],
    *,
    refusals: Refusals = REFUSALS,
    patience: float = PATIENCE,
) -> None:
    """Perform a walk in a Trio run of its own, in virtual time: for a synchronous test, e.g. with ``@given``.

    The subject is opened before the walk and closed after it. Its clock jumps whenever nothing else is
    left to do, so a subject must not wait for anything outside of Trio: no socket, thread or process.

    :raises Mismatch: as `perform_walk_async`
    :raises trio.TooSlowError: the subject does not open or close within ``patience``
    """
    events = tuple(walk)

    async def main() -> None:
        with trio.fail_after(patience * (len(events) + 2)):
            async with open_subject() as subject:
                await perform_walk_async(machine, subject, events, refusals=refusals, patience=patience)

    trio.run(main, clock=MockClock(autojump_threshold=0))
