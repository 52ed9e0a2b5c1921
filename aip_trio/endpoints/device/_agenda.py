"""What a device has to do, in order; decided without I/O."""

from __future__ import annotations

from collections import deque

import attrs

from aip_trio.messages import RunCommands

__all__ = ["Agenda"]


@attrs.define(eq=False)
class Agenda:
    """Batches of commands in the order of their arrival; one is in hand at a time."""

    #: how many batches may wait; a server with more in mind is told to wait
    limit: int = 256
    in_hand: RunCommands | None = attrs.field(init=False, default=None)
    _waiting: deque[RunCommands] = attrs.field(init=False, factory=deque["RunCommands"])

    def __len__(self) -> int:
        """How many wait, the one in hand not counted."""
        return len(self._waiting)

    def add(self, batch: RunCommands) -> bool:
        """One more; False where there is no room for it."""
        if len(self._waiting) >= self.limit:
            return False
        self._waiting.append(batch)
        return True

    def next(self) -> RunCommands | None:
        """Take the next in hand, where none is and one waits."""
        if self.in_hand is None and self._waiting:
            self.in_hand = self._waiting.popleft()
            return self.in_hand
        return None

    def done(self) -> None:
        """The one in hand has been dealt with."""
        self.in_hand = None

    def drop(self, session_id: str) -> bool:
        """That session has ended: its batches are not wanted. Whether the one in hand is among them."""
        self._waiting = deque(batch for batch in self._waiting if batch.session_id != session_id)
        return self.in_hand is not None and self.in_hand.session_id == session_id

    def clear(self) -> bool:
        """All sessions have ended. Whether a batch is in hand."""
        self._waiting.clear()
        return self.in_hand is not None
