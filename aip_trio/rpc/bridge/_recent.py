"""The last things that a service has published."""

from __future__ import annotations

from collections import deque
from itertools import islice

from aip_trio.rpc._event import ApiEventKind
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc.bridge._record import Record

__all__ = ["Recent"]


class Recent:
    """Records in the order in which they came: so many, and so many bytes of them, at most.

    One that has more than a sixteenth of those bytes is kept without what it says.
    """

    def __init__(self, limit: int, max_bytes: int) -> None:
        self._records: deque[Record] = deque()
        self._limit = limit
        self._max_bytes = max_bytes
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: Record) -> Record:
        """One more, as it is kept; the oldest make room."""
        record = record.within(self._max_bytes // 16)
        self._records.append(record)
        self._bytes += record.size
        while len(self._records) > self._limit or self._bytes > self._max_bytes:
            self._bytes -= self._records.popleft().size
        return record

    def select(
        self, limit: int, topic: ApiTopic | None = None, kind: ApiEventKind | None = None
    ) -> list[Record]:
        """The last ``limit`` of this topic and this kind, the newest at the end."""
        found = (
            record
            for record in reversed(self._records)
            if (topic is None or record.topic == topic) and (kind is None or record.kind == kind)
        )
        return list(islice(found, limit))[::-1]
