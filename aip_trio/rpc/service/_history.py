"""The last events of each topic, for subscribers that have missed some."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

import attrs

__all__ = ["RESERVED", "History", "Replayed"]

#: The keys that a stamp adds.
RESERVED = frozenset(("stream", "sequence"))

#: What one answer holds at most: events, and bytes unless its first event alone has more.
_MOST_EVENTS = 512
_MOST_BYTES = 1024 * 1024


@attrs.frozen
class Replayed:
    """What there is of a range that was asked for."""

    #: of the topic, the first event that is still kept; where none is, the next to be published
    first: int
    #: in order, without a gap; there may be more
    events: Sequence[bytes]


class History:
    """Numbers the events of each topic, 1, 2, 3 …, and keeps the last of them, in memory.

    - ``stream``: an id of this service; a subscriber that sees another one has another service before it
    - ``kept``: events for each topic; 0: events are neither numbered nor kept
    """

    def __init__(self, stream: str, kept: int) -> None:
        self.stream = stream
        self._kept = kept
        self._mark = f'"stream":"{stream}","sequence":'.encode()
        self._last: dict[int, int] = {}
        self._events: dict[int, deque[bytes]] = {}

    def __bool__(self) -> bool:
        return self._kept > 0

    @property
    def sequences(self) -> dict[str, int]:
        """The number of the last event of each topic, as a heartbeat tells it."""
        return {str(topic): last for topic, last in self._last.items()}

    def stamp(self, topic: int, event: bytes) -> bytes:
        """Number an event, a JSON object without space around it, and keep it, with its two more keys."""
        number = self._last.get(topic, 0) + 1
        separator = b"," if event[1:-1].strip() else b""
        stamped = b"%b%b%b%d}" % (event[:-1], separator, self._mark, number)
        self._last[topic] = number
        events = self._events.get(topic)
        if events is None:
            events = self._events[topic] = deque(maxlen=self._kept)
        events.append(stamped)
        return stamped

    def replay(self, topic: int, first: int, last: int) -> Replayed:
        """Of the events from ``first`` to ``last`` those that are kept, as many as go into one answer."""
        events = self._events.get(topic, ())
        oldest = self._last.get(topic, 0) - len(events) + 1
        start = min(max(first - oldest, 0), len(events))  # what is asked for may be any integers
        end = min(max(last - oldest + 1, start), start + _MOST_EVENTS, len(events))
        found: list[bytes] = []
        size = 0
        for event in islice(events, start, end):
            size += len(event)
            if found and size > _MOST_BYTES:
                break
            found.append(event)
        return Replayed(oldest, found)
