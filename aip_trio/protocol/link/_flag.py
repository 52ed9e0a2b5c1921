"""An event that most never wait for."""

from __future__ import annotations

import trio

__all__ = ["Flag"]


class Flag:
    """As `trio.Event`, which takes five times the memory from the start: here, from the first `wait`."""

    __slots__ = ("_event", "_set")

    def __init__(self) -> None:
        self._set = False
        self._event: trio.Event | None = None

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._set

    def set(self) -> None:
        """It has happened."""
        self._set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        """Until it has happened. A checkpoint."""
        if self._set:
            await trio.lowlevel.checkpoint()
            return
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()
