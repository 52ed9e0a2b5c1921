"""When commands that run have to be answered, and when they are given up. No clock here."""

from __future__ import annotations

import math

__all__ = ["Deadlines"]


class Deadlines:
    """Of commands by their numbers; times are of one clock, and never run backwards.

    - ``pending_after``: seconds from a command's begin until its client is answered, whatever comes
    - ``timeout``: seconds until it is given up; None: never
    """

    def __init__(self, pending_after: float, timeout: float | None) -> None:
        self._pending_after = pending_after
        self._timeout = math.inf if timeout is None else timeout
        # All wait equally long: who began first is due first, and a dict keeps that order.
        self._unanswered: dict[int, float] = {}
        self._running: dict[int, float] = {}

    def begin(self, number: int, now: float) -> None:
        """A command has begun."""
        self._unanswered[number] = now + self._pending_after
        self._running[number] = now + self._timeout

    def answered(self, number: int) -> None:
        """Its client has an answer; it may run on."""
        self._unanswered.pop(number, None)

    def end(self, number: int) -> None:
        """It has ended; harmless for one that has."""
        self._unanswered.pop(number, None)
        self._running.pop(number, None)

    @property
    def next(self) -> float:
        """When `due` is worth a call; infinity where nothing will be due."""
        return min(_first(self._unanswered), _first(self._running))

    def due(self, now: float) -> tuple[list[int], list[int]]:
        """The commands that have to be answered now, and those that are given up; each is named once."""
        given_up = _take(self._running, now)
        for number in given_up:
            self._unanswered.pop(number, None)
        return _take(self._unanswered, now), given_up


def _first(deadlines: dict[int, float]) -> float:
    return next(iter(deadlines.values()), math.inf)


def _take(deadlines: dict[int, float], now: float) -> list[int]:
    taken: list[int] = []
    for number, deadline in deadlines.items():
        if deadline > now:
            break
        taken.append(number)
    for number in taken:
        del deadlines[number]
    return taken
