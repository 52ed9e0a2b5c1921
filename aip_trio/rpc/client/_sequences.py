"""Which messages of a service have come, and which are missing; without I/O or clock.

Source: a service that replays numbers the messages of each topic 1, 2, 3 …, and its heartbeats tell the last
number of each (docs/explanation/rpc.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

import attrs

from aip_trio.rpc._topic import ApiTopic

__all__ = ["Hole", "Place", "Sequences"]

_HEARTBEAT = int(ApiTopic.HEARTBEAT)

#: Topics that are watched at most: what a service numbers beyond that is taken as it comes.
_MOST_TOPICS = 4096


class Place(Enum):
    """Where a message stands that needs nothing else before it."""

    IN_ORDER = "in order"
    AGAIN = "again"  #: it has come already


@attrs.frozen
class Hole:
    """Messages that were published and have not come, from number ``first`` to ``last``."""

    stream: str
    topic: int
    first: int
    last: int


class Sequences:
    """Follows the numbers of some topics, or of all (None).

    It begins with the first message of each topic, or with what the first heartbeat tells, and what comes
    after that is complete or has holes.
    """

    def __init__(self, topics: Iterable[int] | None) -> None:
        self._topics = None if topics is None else frozenset(topics)
        self._stream: str | None = None
        self._due: dict[int, int] = {}
        # Whether a topic that has not been heard of yet begins with its number 1.
        self._from_one = False

    def next(self, topic: int, stream: str, number: int) -> bool:
        """A message has come. True: it is the one that was due; else ask `stream` and `message`."""
        if self._due.get(topic) != number or stream != self._stream:
            return False
        self._due[topic] = number + 1
        return True

    def stream(self, stream: str) -> bool:
        """A message of this incarnation of the service has come; True: it was another one before."""
        if stream == self._stream:
            return False
        restarted = self._stream is not None
        self._stream = stream
        if restarted:  # whatever the new one has published was published while we listened
            self._due.clear()
            self._from_one = True
        return restarted

    def message(self, topic: int, number: int) -> Place | Hole:
        """A message has come. A hole counts as dealt with from now on."""
        due = self._due.get(topic)
        if due is None:
            if not self._follows(topic):
                return Place.IN_ORDER
            due = 1 if self._from_one else number
        if number < due:
            return Place.AGAIN
        self._due[topic] = number + 1
        return self._hole(topic, due, number - 1) if number > due else Place.IN_ORDER

    def heartbeat(self, numbers: Mapping[int, int]) -> list[Hole]:
        """A heartbeat has come, and whatever it counts was sent before it."""
        holes: list[Hole] = []
        for topic, last in numbers.items():
            if self._follows(topic):
                due = self._due.get(topic, 1 if self._from_one else last + 1)
                self._due[topic] = max(due, last + 1)
                if last >= due:
                    holes.append(self._hole(topic, due, last))
        self._from_one = True
        return holes

    def _follows(self, topic: int) -> bool:
        if topic == _HEARTBEAT:  # one that is late is of no use
            return False
        if self._topics is not None and topic not in self._topics:
            return False
        return topic in self._due or len(self._due) < _MOST_TOPICS

    def _hole(self, topic: int, first: int, last: int) -> Hole:
        assert self._stream is not None  # `stream` comes before the numbers that it counts
        return Hole(self._stream, topic, first, last)
