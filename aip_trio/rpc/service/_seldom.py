"""A line for the log that may be due very often."""

from __future__ import annotations

__all__ = ["Seldom"]


class Seldom:
    """Lets one line through in so many seconds, and counts those that it holds back. No clock here."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = float("-inf")
        self._held_back = 0

    def allows(self, now: float) -> bool:
        """Whether the line is to be written."""
        if now < self._next:
            self._held_back += 1
            return False
        self._next = now + self._seconds
        return True

    def others(self) -> str:
        """For the end of the line: how many were held back since the last one, if any were."""
        held_back, self._held_back = self._held_back, 0
        return f" (and {held_back} times since this was last logged)" if held_back else ""
