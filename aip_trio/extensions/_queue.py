"""Calls that wait for one extension, for one connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs

__all__ = ["Budget", "Call", "CallQueue"]

#: A hook with its arguments, its name, and the bytes that it keeps in memory.
Call: TypeAlias = tuple[Callable[..., Awaitable[object] | None], tuple[object, ...], str, int]


@attrs.define(eq=False)
class Budget:
    """The bytes of messages that may wait for one extension, over all its connections."""

    left: int


@attrs.define(eq=False)
class CallQueue:
    """First in, first out; what does not fit is dropped. Without I/O."""

    limit: int
    budget: Budget
    #: how many calls did not fit
    dropped: int = attrs.field(init=False, default=0)
    _calls: deque[Call] = attrs.field(init=False, factory=deque["Call"])

    def __bool__(self) -> bool:
        return bool(self._calls)

    def put(self, call: Call) -> bool:
        """Whether it fits. A single call always does, whatever its size."""
        size = call[3]
        if self._calls and (len(self._calls) >= self.limit or size > self.budget.left):
            self.dropped += 1
            return False
        self.budget.left -= size
        self._calls.append(call)
        return True

    def take(self) -> Call:
        """The next one. What it kept is free again."""
        call = self._calls.popleft()
        self.budget.left += call[3]
        return call

    def clear(self) -> None:
        """Forget them all."""
        while self._calls:
            self.take()
