"""Waiting, while the window of a session may end."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager

import trio

__all__ = ["Vigil"]


class Vigil:
    """Ends the waits in its blocks when the window does, whenever that begins to run.

    There is no task that watches the window: who waits watches it.
    """

    __slots__ = ("_deadline", "_scopes")

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._scopes: set[trio.CancelScope] = set()

    @contextmanager
    def watch(self) -> Generator[None]:
        """Wait in this block, at most until the deadline; then it ends quietly."""
        scope = trio.CancelScope(deadline=self._deadline)
        self._scopes.add(scope)
        try:
            with scope:
                yield
        finally:
            self._scopes.remove(scope)

    def until(self, deadline: float = math.inf) -> None:
        """The deadline is another one now."""
        self._deadline = deadline
        for scope in self._scopes:
            scope.deadline = deadline
