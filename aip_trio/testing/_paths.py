"""Every edge of a machine, and the shortest way to it."""

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

import attrs

from ..machine import Machine

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


@attrs.frozen
class Edge(Generic[S, E]):
    """One event in one state, and how to come there.

    ``prefix`` leads from the initial state to ``state``. ``target`` is where ``event`` then leads, and
    None where the table has no such event there: the edge of a refusal.
    """

    prefix: tuple[E, ...]
    state: S
    event: E
    target: S | None

    @property
    def legal(self) -> bool:
        """Whether the table has it."""
        return self.target is not None

    @property
    def walk(self) -> tuple[E, ...]:
        """All events from the initial state on, ``event`` the last."""
        return (*self.prefix, self.event)

    def __str__(self) -> str:
        return f"{self.state.name}-{self.event.name}-{self.target.name if self.target else 'refused'}"


def paths(machine: Machine[S, E]) -> Mapping[S, tuple[E, ...]]:
    """A shortest sequence of events from the initial state to each state, nearest states first."""
    found: dict[S, tuple[E, ...]] = {machine.initial: ()}
    frontier = deque([machine.initial])
    while frontier:
        state = frontier.popleft()
        for event, target in machine.table[state].items():
            if target not in found:
                found[target] = (*found[state], event)
                frontier.append(target)
    return found


def every_edge(machine: Machine[S, E]) -> tuple[Edge[S, E], ...]:
    """Each event in each state, legal or not, nearest states first; for ``parametrize(…, ids=str)``."""
    return tuple(
        Edge(prefix, state, event, machine.table[state].get(event))
        for state, prefix in paths(machine).items()
        for event in machine.events
    )
