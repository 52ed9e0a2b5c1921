"""What a device has to do, in order; decided without I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum

import attrs

from aip_trio.messages import Result, RunCommands

__all__ = ["REMEMBERED", "Agenda", "Entry"]

#: Batches whose results are remembered, in case one comes a second time.
REMEMBERED = 32


class Entry(Enum):
    """What became of a batch that was offered."""

    TAKEN = "taken"
    FULL = "full"  #: there is no room for it
    REPEATED = "repeated"  #: it is known: it waits, is in hand, or was answered


@attrs.define(eq=False)
class Agenda:
    """Batches of commands in the order of their arrival; one is in hand at a time.

    On a link that resumes, a batch that comes again, the same commands under the same session, response and
    call ids, is not done again. (Without resumption a server may mean it: it has nothing to send twice.)
    """

    #: how many batches may wait; a server with more in mind is told to wait
    limit: int = 256
    in_hand: RunCommands | None = attrs.field(init=False, default=None)
    _waiting: deque[RunCommands] = attrs.field(init=False, factory=deque["RunCommands"])
    #: by session and response: what was done last, and what came of it
    _answered: dict[tuple[str, str], tuple[RunCommands, Sequence[Result]]] = attrs.field(
        init=False, factory=dict[tuple[str, str], tuple[RunCommands, Sequence[Result]]]
    )

    def __len__(self) -> int:
        """How many wait, the one in hand not counted."""
        return len(self._waiting)

    def add(self, batch: RunCommands, *, once: bool = False) -> Entry:
        """One more, unless there is no room; or, where it is to be done ``once``, it is known."""
        if once and batch.response_id is not None and self._knows(batch):
            return Entry.REPEATED
        if len(self._waiting) >= self.limit:
            return Entry.FULL
        self._waiting.append(batch)
        return Entry.TAKEN

    def _knows(self, batch: RunCommands) -> bool:
        return batch == self.in_hand or self.answer(batch) is not None or batch in self._waiting

    def next(self) -> RunCommands | None:
        """Take the next in hand, where none is and one waits."""
        if self.in_hand is None and self._waiting:
            self.in_hand = self._waiting.popleft()
            return self.in_hand
        return None

    def done(self, results: Sequence[Result] | None = None) -> None:
        """The one in hand has been dealt with; with ``results``, or cancelled."""
        batch, self.in_hand = self.in_hand, None
        if batch is None or batch.response_id is None or results is None:
            return
        key = batch.session_id, batch.response_id
        self._answered.pop(key, None)
        self._answered[key] = batch, results
        if len(self._answered) > REMEMBERED:
            del self._answered[next(iter(self._answered))]

    def answer(self, batch: RunCommands) -> Sequence[Result] | None:
        """What came of it, if it was done lately."""
        known = self._answered.get((batch.session_id, batch.response_id or ""))
        return known[1] if known is not None and known[0] == batch else None

    def drop(self, session_id: str) -> bool:
        """That session has ended: its batches are not wanted. Whether the one in hand is among them."""
        self._waiting = deque(batch for batch in self._waiting if batch.session_id != session_id)
        self._answered = {key: known for key, known in self._answered.items() if key[0] != session_id}
        return self.in_hand is not None and self.in_hand.session_id == session_id

    def clear(self) -> bool:
        """All sessions have ended. Whether a batch is in hand."""
        self._waiting.clear()
        self._answered.clear()
        return self.in_hand is not None
