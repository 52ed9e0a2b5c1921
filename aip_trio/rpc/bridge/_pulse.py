"""Waking whoever waits for a change."""

from __future__ import annotations

import trio

__all__ = ["Pulse"]


class Pulse:
    """Each `beat` wakes all that wait. Look first, then wait: between the two nothing may be awaited."""

    def __init__(self) -> None:
        self._lot = trio.lowlevel.ParkingLot()

    def beat(self) -> None:
        """Something is not as it was."""
        self._lot.unpark_all()

    async def wait(self) -> None:
        """Until the next beat. A checkpoint."""
        await self._lot.park()
