"""What can be wrong with a machine's table."""

from collections.abc import Iterable, Iterator, Mapping, Set
from enum import Enum
from typing import TypeVar

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def faults(name: str, initial: S, terminal: Set[S], table: Mapping[S, Mapping[E, S]]) -> Iterator[str]:
    """Each fault and its remedy, lazily: a check may rely on all those before it, so stop at the first."""
    if not name:
        yield f"name={name!r} is empty: give the name that errors and diagrams shall show"
    yield from _of_states(initial, terminal, table)
    yield from _of_events(table)
    yield from _of_initial(initial, terminal, table)
    yield from _of_ends(terminal, table)
    yield from _of_reach(initial, table)


def _of_states(initial: S, terminal: Set[S], table: Mapping[S, Mapping[E, S]]) -> Iterator[str]:
    if not isinstance(initial, Enum):
        yield f"initial={initial!r} is no Enum member: declare the states as an Enum"
    for place, state in _mentions(terminal, table):
        if not _belongs(state, type(initial)):
            yield (
                f"{place} {show(state)} is no member of {type(initial).__name__}, the enum of"
                f" initial={show(initial)}: take every state from that one enum"
            )


def _mentions(terminal: Set[S], table: Mapping[S, Mapping[E, S]]) -> Iterator[tuple[str, S]]:
    for state in terminal:
        yield "terminal state", state
    for state, row in table.items():
        yield "state", state
        for event, target in row.items():
            yield f"{show(state)} on {show(event)}: target", target


def _of_events(table: Mapping[S, Mapping[E, S]]) -> Iterator[str]:
    events = [event for row in table.values() for event in row]
    if not events:
        yield "table has no transition: write it as {state: {event: next state}}"
    for event in events:
        if not isinstance(event, Enum):
            yield f"event {event!r} is no Enum member: declare the events as an Enum"
        if not _belongs(event, type(events[0])):
            yield (
                f"event {show(event)} is no member of {type(events[0]).__name__}, the enum of"
                f" {show(events[0])}: take every event from that one enum"
            )


def _of_initial(initial: S, terminal: Set[S], table: Mapping[S, Mapping[E, S]]) -> Iterator[str]:
    if initial in terminal:
        yield f"initial={show(initial)} is terminal: start in a state that has a transition"
    if initial not in table:
        yield f"initial={show(initial)} is not in the table: add its row, or start in one of {_names(table)}"


def _of_ends(terminal: Set[S], table: Mapping[S, Mapping[E, S]]) -> Iterator[str]:
    for state in type(next(iter(table))):
        row = table.get(state, {})
        if state in terminal and row:
            yield (
                f"terminal state {show(state)} has transitions on {_names(row)}: remove them, or take"
                " the state out of terminal"
            )
        if state not in terminal and not row and _mentioned(state, table):
            yield f"state {show(state)} has no way out: add a transition, or declare it terminal"


def _mentioned(state: S, table: Mapping[S, Mapping[E, S]]) -> bool:
    return state in table or any(state in row.values() for row in table.values())


def _of_reach(initial: S, table: Mapping[S, Mapping[E, S]]) -> Iterator[str]:
    reached = {initial}
    frontier = [initial]
    while frontier:
        new = set(table.get(frontier.pop(), {}).values()) - reached
        reached |= new
        frontier.extend(new)
    for state in type(initial):
        if state not in reached:
            yield (
                f"state {show(state)} cannot be reached from initial={show(initial)}: add a transition"
                f" to it, or remove it from {type(initial).__name__}"
            )


def _belongs(value: object, enum: type[Enum]) -> bool:
    """By type and identity: members of two IntEnums may be equal, and flags combine."""
    return type(value) is enum and any(value is member for member in enum)


def _names(members: Iterable[Enum]) -> str:
    return ", ".join(show(member) for member in members) or "nothing"


def show(value: object) -> str:
    """``Door.OPEN`` whatever kind of enum it is; a repr for anything else."""
    return f"{type(value).__name__}.{value.name}" if isinstance(value, Enum) else repr(value)
