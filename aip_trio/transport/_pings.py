"""Pings on their way, and who waits for their pongs."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from itertools import count

import attrs
import trio

__all__ = ["Pings", "Pong"]


@attrs.define(eq=False)
class Pong:
    """One that is waited for."""

    came: bool = False
    _settled: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def wait(self) -> bool:
        """Whether it came; False where none will. A checkpoint."""
        await self._settled.wait()
        return self.came

    def settle(self, *, came: bool) -> None:
        """It has come, or never will."""
        self.came = came
        self._settled.set()


class Pings:
    """Each ping has a number of its own for payload. A pong answers the pings before it, too."""

    __slots__ = ("_expected", "_numbers")

    def __init__(self) -> None:
        self._numbers = count()
        self._expected: dict[bytes, Pong] = {}

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._expected)

    def number(self) -> bytes:
        """A payload for the next one."""
        return next(self._numbers).to_bytes(8)

    @contextmanager
    def expect(self, payload: bytes) -> Generator[Pong]:
        """The pong to this ping, which is waited for in the block."""
        pong = self._expected[payload] = Pong()
        try:
            yield pong
        finally:
            self._expected.pop(payload, None)

    def answer(self, payload: bytes) -> None:
        """A pong has come."""
        if payload in self._expected:
            for earlier in list(self._expected):
                self._expected.pop(earlier).settle(came=True)
                if earlier == payload:
                    break

    def give_up(self) -> None:
        """No pong will come any more."""
        for pong in self._expected.values():
            pong.settle(came=False)
