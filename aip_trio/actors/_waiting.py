"""Who waits for whom: circles are found before they hang.

While an actor's handler waits, the actor takes no messages and does not end. What it waits for stands in
its ``waits``, so that the wait that would close a circle can be refused.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import current_task

from aip_trio.actors._child import ChildState
from aip_trio.actors._envelope import here
from aip_trio.errors import ActorStopped, AskCycle

if TYPE_CHECKING:
    from aip_trio.actors._answer import Answer
    from aip_trio.actors._cell import Cell

__all__ = ["ANSWER", "For", "Waits", "circle", "handling", "refuse_circle", "waiting"]


class For(Enum):
    """What is waited for."""

    ANSWER = "answer"  #: that it answers a request
    ROOM = "room"  #: that it takes messages, so that there is room in its mailbox
    START = "start"  #: that it comes up
    END = "end"  #: that it ends
    CALL = "call"  #: that its supervisor does something else with it


#: By itself, because every ask of an actor's needs it.
ANSWER = For.ANSWER

#: What will end the wait; whom it is for, and what of it.
Waits = dict["Answer[Any]", "tuple[Cell, For]"]


class _Until(Enum):
    ON = "on"  #: its task gets on
    ENDED = "ended"  #: it has ended, and all below it
    TURN = "turn"  #: its supervisor has done what it is doing, and comes to it


_Step = tuple["Cell", _Until]


def handling() -> Cell | None:
    """The actor that cannot go on before the calling task does, or None.

    That is the actor whose own task this is, or that waits for it in a nursery of its handler's. A task
    in ``self.nursery`` holds up nobody.
    """
    current = here.get()
    if current is None or current.cell is None:
        return None
    cell = current.cell
    task = current_task()
    while task is not cell.task:
        nursery = task.parent_nursery
        if nursery is None or nursery is cell.nursery:
            return None
        task = nursery.parent_task
    return cell


@contextmanager
def waiting(call: Answer[Any], target: Cell | None, what: For) -> Generator[None]:
    """Stand in the calling actor's waits, where an actor calls and the target is known.

    Raises AskCycle where the target waits, directly or through others, for that actor.
    """
    cell = handling() if target is not None else None
    if cell is None or target is None:
        yield
        return
    refuse_circle(cell, target, what)
    cell.waits[call] = (target, what)
    try:
        yield
    finally:
        del cell.waits[call]


def refuse_circle(cell: Cell, target: Cell, what: For, message: object = None) -> None:
    """Raise AskCycle if the target waits, directly or through others, for the cell.

    ActorStopped, where it is asked and would answer if it were not about to end. Nothing where the caller
    is cancelled: its wait will not begin.
    """
    found = circle(cell, target, what)
    if found is None or trio.current_effective_deadline() == -math.inf:
        return
    if what is For.ANSWER and target.halted and target is not cell:
        raise ActorStopped(target.path, message)
    raise found


def circle(cell: Cell, target: Cell, what: For, call: Answer[Any] | None = None) -> AskCycle | None:
    """The circle that the cell's wait for the target closes, or None. Without ``call`` it is to begin."""
    reached: dict[_Step, _Step | None] = dict.fromkeys(_first_steps(target, what, call))
    todo = list(reached)
    while todo:
        step = todo.pop()
        at, until = step
        if (at is cell and until is not _Until.TURN) or (until is _Until.ENDED and _is_below(cell, at)):
            return AskCycle(_path(cell, step, reached))
        for following in _next_steps(at, until):
            if following not in reached:
                reached[following] = step
                todo.append(following)
    return None


def _first_steps(target: Cell, what: For, call: Answer[Any] | None) -> Iterator[_Step]:
    """What has to happen before this wait is over."""
    if call is not None and (call.settled or call.withdrawn):
        return  # the task that waits has not run since
    if what is For.ANSWER or what is For.ROOM:
        in_hand = call is not None and target.has_in_hand(call)
        if in_hand or not (call is not None and target.owes(call)):  # else a task in its nursery is to
            yield target, _Until.ENDED if target.halted and not in_hand else _Until.ON
    elif what is For.START and target.state is ChildState.STARTING:
        yield target, _Until.ON
    elif what is For.END and target.state is ChildState.STOPPING:
        yield target, _Until.ENDED
    else:
        if what is For.END and target.active:
            yield target, _Until.ENDED
        if what is For.END or not target.siblings.supervision.closing:  # else it is refused at once
            yield target, _Until.TURN


def _next_steps(cell: Cell, until: _Until) -> Iterator[_Step]:
    """What has to happen before that."""
    if until is _Until.TURN:
        for other in cell.siblings.supervision.awaited:
            yield other, _Until.ENDED if other.state is ChildState.STOPPING else _Until.ON
        return
    ends = until is _Until.ENDED
    if ends and cell.grace == 0:  # it is cancelled at once, and all below it
        return
    if not ends or cell.since is not None:  # to end a start, it is cancelled
        for call, (target, what) in cell.waits.items():
            yield from _first_steps(target, what, call)
    if ends and cell.children is not None:
        for child in cell.children.supervision.children.values():
            if child.active:
                yield child, _Until.ENDED


def _is_below(cell: Cell, above: Cell) -> bool:
    owner = cell.siblings.owner
    while owner is not None and owner is not above:
        owner = owner.siblings.owner
    return owner is above


def _path(cell: Cell, last: _Step, reached: dict[_Step, _Step | None]) -> tuple[str, ...]:
    """From the cell to itself."""
    backwards = [cell]
    step: _Step | None = last
    while step is not None:
        if step[0] is not backwards[-1]:
            backwards.append(step[0])
        step = reached[step]
    return (cell.path, *(at.path for at in reversed(backwards)))
