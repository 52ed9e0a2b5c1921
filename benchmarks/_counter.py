"""The actor that all rows measure: it counts, it answers, it crashes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs

from aip_trio.actors import Actor, ActorSystem, Request, handles, open_system

__all__ = ["Boom", "Count", "Counter", "Tick", "tolerant_system"]


@attrs.frozen
class Tick:
    """To be counted."""


@attrs.frozen
class Count(Request[int]):
    """How many ticks were there?"""


@attrs.frozen
class Boom:
    """Crash, please."""


class Counter(Actor):
    """Counts the ticks that it is told."""

    def __init__(self) -> None:
        self.ticks = 0

    @handles
    async def tick(self, message: Tick) -> None:
        """One more."""
        self.ticks += 1

    @handles
    async def count(self, message: Count) -> int:
        """So many."""
        return self.ticks

    @handles
    async def boom(self, message: Boom) -> None:
        """As it was told."""
        raise RuntimeError("boom")


@asynccontextmanager
async def tolerant_system() -> AsyncGenerator[ActorSystem]:
    """A system whose actors may crash as often as they like.

    Its intensity counts the restarts of a millisecond only: what is measured is a restart, not a long
    list of earlier ones.
    """
    async with open_system(intensity=1_000, period=1e-3) as system:
        yield system
