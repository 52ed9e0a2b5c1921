"""Random walks through a machine."""

from collections.abc import Iterable
from enum import Enum
from itertools import chain
from typing import TypeVar

from hypothesis import strategies as st

from ..machine import Machine

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def walks(machine: Machine[S, E], *, max_steps: int = 64) -> st.SearchStrategy[tuple[E, ...]]:
    """A strategy for sequences of events to fire one after the other, legal ones and illegal ones.

    ``max_steps`` bounds their length. About half of the events are steered to a legal one, so that walks
    come far; the others are any event, so that refusals are tried on the way. Shrinks to few events, and
    keeps the events that it does not remove.
    """
    step = st.tuples(st.sampled_from(machine.events), st.booleans())
    # A single list would have five steps on average, however long it may be. Hence lists of lists.
    bouts = st.lists(st.lists(step, min_size=1, max_size=8), max_size=max(1, max_steps // 2))
    return bouts.map(lambda drawn: _steered(machine, chain.from_iterable(drawn))[:max_steps])


def _steered(machine: Machine[S, E], steps: Iterable[tuple[E, bool]]) -> tuple[E, ...]:
    tracker = machine.start()
    events: list[E] = []
    for wish, steer in steps:
        event = _next_legal(machine.events, wish, tracker.legal) if steer else wish
        if tracker.can(event):
            tracker.fire(event)
        events.append(event)
    return tuple(events)


def _next_legal(events: tuple[E, ...], wish: E, legal: tuple[E, ...]) -> E:
    """The event itself if it is legal, else the next one in the enum's order that is, if any is."""
    start = events.index(wish)
    return next((event for event in events[start:] + events[:start] if event in legal), wish)
