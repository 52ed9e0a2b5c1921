"""What a fleet may know of an RPC device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc.bridge._fitting import fitted
from aip_trio.rpc.bridge._record import Record

__all__ = ["Facts"]

#: Topics that are counted by themselves, and kinds of events whose last is known: there may be any number.
_TOPICS, _KINDS = 64, 64

#: Bytes of what one of those events says, and of a status: all of it goes out with each report.
_EVENT, _STATUS = 1024, 64 * 1024

_OTHER = "other"


class Facts:
    """Counts of what was published, the last event of each kind, and the last status; all of them bounded."""

    def __init__(self) -> None:
        self._published: Counter[str] = Counter()
        self._missed = 0
        self._latest: dict[str, Record] = {}
        self._status: tuple[object, datetime] | None = None

    def published(self, topic: ApiTopic) -> None:
        """One more of this topic."""
        name = topic.name
        if name not in self._published and len(self._published) >= _TOPICS:
            name = _OTHER
        self._published[name] += 1

    def missed(self, count: int) -> None:
        """So many were published, and have not come."""
        self._missed += count

    def happened(self, record: Record) -> None:
        """The last event of its kind; those that have not been for longest make room."""
        if record.kind is None:
            return
        name = record.kind.name
        self._latest.pop(name, None)
        self._latest[name] = record
        if len(self._latest) > _KINDS:
            del self._latest[next(iter(self._latest))]

    def answered(self, status: object, now: datetime) -> None:
        """The device has told its status."""
        self._status = fitted(status, _STATUS)[0], now

    def data(self) -> Mapping[str, object]:
        """For the fleet, in JSON's own types."""
        status, when = self._status or (None, None)
        return {
            "status": status,
            "status_received": None if when is None else when.isoformat(),
            "published": dict(self._published),
            "missed": self._missed,
            "last_events": {name: record.within(_EVENT).data() for name, record in self._latest.items()},
        }
