"""Pings on their way, and who waits for their pongs."""

from __future__ import annotations

from itertools import count

import trio

__all__ = ["Pings"]


class Pings:
    """Each ping has a number of its own for payload. A pong answers the pings before it, too."""

    __slots__ = ("_numbers", "_waiting")

    def __init__(self) -> None:
        self._numbers = count()
        self._waiting: dict[bytes, trio.Event] = {}

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiting)

    def number(self) -> bytes:
        """A payload for the next one."""
        return next(self._numbers).to_bytes(8)

    async def pong(self, payload: bytes) -> bool:
        """Wait for the pong to this ping; False where there will be none. A checkpoint."""
        settled = self._waiting[payload] = trio.Event()
        try:
            await settled.wait()
        finally:
            unanswered = self._waiting.pop(payload, None)
        return unanswered is None

    def answer(self, payload: bytes) -> None:
        """A pong has come."""
        if payload in self._waiting:
            for earlier in list(self._waiting):
                self._waiting.pop(earlier).set()
                if earlier == payload:
                    break

    def give_up(self) -> None:
        """No pong will come any more."""
        for settled in self._waiting.values():
            settled.set()
