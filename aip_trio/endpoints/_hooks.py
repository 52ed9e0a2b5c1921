"""Calls of what a program may override, beside the actors that have work to do."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable

import trio

__all__ = ["Hooks"]

logger = logging.getLogger("aip_trio.endpoints")


class Hooks:
    """Calls hooks from tasks in an actor's nursery, so that the actor goes on meanwhile.

    Those with one key are called one after another, in order; those with different keys side by side. A
    hook that takes its time holds up its own key alone. What one raises is logged.
    """

    def __init__(self, nursery: trio.Nursery, owner: str) -> None:
        self._nursery = nursery
        self._owner = owner
        self._waiting: dict[str, deque[Callable[[], Awaitable[object]]]] = {}

    def call(self, key: str, hook: Callable[[], Awaitable[object]]) -> None:
        """Call it as soon as those before it have returned. No checkpoint."""
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = deque()
            self._nursery.start_soon(self._run, key, waiting)
        waiting.append(hook)

    async def _run(self, key: str, waiting: deque[Callable[[], Awaitable[object]]]) -> None:  # noqa: ASYNC910
        while waiting:
            try:
                await waiting[0]()
            except Exception:
                logger.exception("%s: a hook for %s failed", self._owner, key)
            waiting.popleft()
        del self._waiting[key]
