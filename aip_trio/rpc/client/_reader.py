"""From the frames of a SUB socket to typed events in order; without I/O or clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import attrs

from aip_trio.errors import DecodeError
from aip_trio.errors._base import told
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc._wire import Reply, decode_topic, encode_topic
from aip_trio.rpc.client._published import (
    Dropped,
    Gap,
    Heartbeat,
    Published,
    Restarted,
    published,
)
from aip_trio.rpc.client._recovery import Recovery
from aip_trio.rpc.client._sequences import Hole, Place, Sequences

__all__ = ["Reader", "SubscriptionStatistics", "Typed"]

#: What a subscription delivers.
Typed = Published | Gap | Restarted | Dropped


#: Looked up in a fraction of the time that decoding takes.
_TOPICS = {encode_topic(topic): topic for topic in ApiTopic}


@attrs.frozen
class SubscriptionStatistics:
    """Counters since the subscription began."""

    #: messages that came over the socket
    received: int
    #: that were none, and what was wrong with the last of them
    malformed: int
    last_malformed: str | None
    #: that were fetched from the service, because they had not come
    recovered: int
    #: that are lost for good, by their numbers
    lost: int
    #: that came a second time
    again: int
    #: that had to make room for later ones
    dropped: int
    #: other incarnations of the service
    restarts: int


class Reader:
    """Takes messages as they come, and has typed events ready.

    - ``topics``: what to deliver; None: everything
    - ``replays``: False: what is missing is not asked for, and is a Gap at once

    Where ``recovery`` is not None, `ask` it before anything else is taken: messages that have come wait
    behind it.
    """

    def __init__(self, topics: Iterable[int] | None, *, replays: bool = True) -> None:
        self._topics = None if topics is None else frozenset(topics)
        self._replays = replays
        self._sequences = Sequences(self._topics)
        self._came: deque[Sequence[bytes]] = deque()
        self._recoveries: deque[Recovery] = deque()
        self._waits: Published | None = None
        #: a heartbeat has come: the service knows of this reader
        self.confirmed = False
        #: what is to be delivered, in order
        self.ready: deque[Typed] = deque()
        self._received = self._malformed = self._recovered = self._lost = 0
        self._again = self._dropped = self._restarts = 0
        self._last_malformed: str | None = None

    @property
    def statistics(self) -> SubscriptionStatistics:
        """What has happened so far."""
        return SubscriptionStatistics(
            self._received,
            self._malformed,
            self._last_malformed,
            self._recovered,
            self._lost,
            self._again,
            self._dropped,
            self._restarts,
        )

    @property
    def recovery(self) -> Recovery | None:
        """What is to be asked of the service now."""
        return self._recoveries[0] if self._recoveries else None

    def take(self, messages: Iterable[Sequence[bytes]]) -> None:
        """Messages have come: each a topic and a payload."""
        self._came.extend(messages)
        self._read()

    def dropped(self, messages: int) -> None:
        """Messages have come, and were thrown away unread."""
        self._dropped += messages
        self.ready.append(Dropped(messages))

    def answered(self, reply: Reply) -> None:
        """The service has answered what `recovery` asked for."""
        recovery = self._recoveries[0]
        self._fill(recovery, recovery.answer(reply))

    def unanswered(self) -> None:
        """The service has not answered it, and is not asked again."""
        recovery = self._recoveries[0]
        self._fill(recovery, recovery.give_up())

    def _fill(self, recovery: Recovery, delivered: list[Published | Gap]) -> None:
        for typed in delivered:
            if isinstance(typed, Gap):
                self._lost += typed.lost
        self.ready.extend(delivered)
        if recovery.over:
            self._recovered += recovery.recovered
            self._malformed += recovery.malformed
            self._recoveries.popleft()
            self._read()

    def _read(self) -> None:
        """Read on, to the next hole."""
        ready, came, recoveries = self.ready, self._came, self._recoveries
        is_next = self._sequences.next
        while not recoveries:
            if self._waits is not None:
                ready.append(self._waits)
                self._waits = None
            if not came:
                break
            frames = came.popleft()
            self._received += 1
            try:
                frame, payload = frames
                message = published(_TOPICS.get(frame) or decode_topic(frame), payload)
            except (DecodeError, ValueError) as error:
                self._malformed += 1
                self._last_malformed = told(error)
                continue
            stream, number = message.stream, message.sequence
            if stream is not None and number is not None and is_next(message.topic, stream, number):
                ready.append(message)
            else:
                self._take_other(message)

    def _take_other(self, message: Published) -> None:
        """A message that is not simply the one that was due."""
        if isinstance(message, Heartbeat):
            self.confirmed = True
        if message.stream is not None and message.sequence is not None:
            self._place(message, message.stream, message.sequence)
        elif self._wanted(message):
            self.ready.append(message)

    def _place(self, message: Published, stream: str, number: int) -> None:
        """A message that is numbered is delivered when nothing before it is missing."""
        if self._sequences.stream(stream):
            self._restarts += 1
            self.ready.append(Restarted(stream))
        if isinstance(message, Heartbeat):
            holes = self._sequences.heartbeat(message.sequences or {})
        else:
            place = self._sequences.message(message.topic, number)
            if place is Place.AGAIN:
                self._again += 1
                return
            holes = [place] if isinstance(place, Hole) else []
        if self._wanted(message):
            self._waits = message
        for hole in holes:
            self._miss(hole)

    def _miss(self, hole: Hole) -> None:
        recovery = Recovery(hole)
        if self._replays:
            self._recoveries.append(recovery)
        else:
            gaps = recovery.give_up()
            self._lost += hole.last - hole.first + 1
            self.ready.extend(gaps)

    def _wanted(self, message: Published) -> bool:
        return self._topics is None or message.topic in self._topics
