"""Something that a service has published, as a fleet is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from aip_trio.rpc._event import ApiEventKind
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc.bridge._fitting import fitted

__all__ = ["Record"]


@attrs.frozen
class Record:
    """A published message: its topic, what it says in JSON's own types, and when it came.

    ``kind``: of what has happened, where it is an event. ``size``: bytes.
    """

    topic: ApiTopic
    message: object
    received: datetime
    kind: ApiEventKind | None = None
    size: int = 0

    def within(self, longest: int) -> Record:
        """This; or without its message where that has more bytes, which is said in its place."""
        message, size = fitted(self.message, longest)
        return Record(self.topic, message, self.received, self.kind, size)

    def data(self) -> Mapping[str, object]:
        """For the fleet."""
        told: dict[str, object] = {"topic": self.topic.name, "received": self.received.isoformat()}
        if self.kind is not None:
            told["kind"] = self.kind.name
        return {**told, "message": self.message}
