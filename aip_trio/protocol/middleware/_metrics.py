"""What passes, counted: messages, bytes, errors, and how long answers take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs
import trio

from aip_trio.messages import WireModel
from aip_trio.protocol._kind import kind_of
from aip_trio.protocol.middleware._base import ProtocolMiddleware
from aip_trio.protocol.middleware._exchanges import Exchanges
from aip_trio.protocol.middleware._histogram import Histogram, Latency

__all__ = ["Metrics", "MetricsMiddleware", "MetricsSnapshot"]


@attrs.frozen
class MetricsSnapshot:
    """Counts since the beginning, or the last reset.

    ``sent``, ``received``: messages by type; ``errors``: failures by the name of their class; ``latency``: by
    the type of what was asked; ``unanswered``: what was asked so long ago that it was forgotten.
    """

    sent: Mapping[str, int]
    received: Mapping[str, int]
    bytes_sent: int
    bytes_received: int
    errors: Mapping[str, int]
    latency: Mapping[str, Latency]
    unanswered: int

    def as_dict(self) -> dict[str, Any]:
        """In JSON's types, for an exporter: counters end in ``_total``, units are seconds and bytes."""
        return {
            "messages_total": {"sent": dict(self.sent), "received": dict(self.received)},
            "bytes_total": {"sent": self.bytes_sent, "received": self.bytes_received},
            "errors_total": dict(self.errors),
            "unanswered_total": self.unanswered,
            "latency_seconds": {name: latency.as_dict() for name, latency in self.latency.items()},
        }


class Metrics:
    """The counters that any number of `MetricsMiddleware` share. Constant memory; no I/O, no clock."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._sent: Counter[str] = Counter()
        self._received: Counter[str] = Counter()
        self._bytes_sent = self._bytes_received = self._unanswered = 0
        self._errors: Counter[str] = Counter()
        self._latency: dict[str, Histogram] = {}

    def sent(self, kind: str, size: int) -> None:
        """A message of this type, of so many bytes."""
        self._sent[kind] += 1
        self._bytes_sent += size

    def received(self, kind: str, size: int) -> None:
        """A message of this type, of so many bytes."""
        self._received[kind] += 1
        self._bytes_received += size

    def failed(self, error: Exception) -> None:
        """Something went wrong."""
        self._errors[type(error).__name__] += 1

    def answered(self, kind: str, seconds: float) -> None:
        """A message of this type got its answer after so long."""
        histogram = self._latency.get(kind)
        if histogram is None:
            histogram = self._latency[kind] = Histogram()
        histogram.record(seconds)

    def forgot(self, count: int) -> None:
        """So many messages have no answer, and nobody would recognise it any more."""
        self._unanswered += count

    def snapshot(self) -> MetricsSnapshot:
        """As they are now."""
        return MetricsSnapshot(
            sent=dict(self._sent),
            received=dict(self._received),
            bytes_sent=self._bytes_sent,
            bytes_received=self._bytes_received,
            errors=dict(self._errors),
            latency={kind: histogram.snapshot() for kind, histogram in self._latency.items()},
            unanswered=self._unanswered,
        )


class MetricsMiddleware(ProtocolMiddleware):
    """Counts what passes a connection, and measures how long answers take.

    ``metrics``: where it counts; by default for itself. An answer is known by the id of what it answers
    (response_id, prev_response_id, request_id, session_id): where clients make these up, one object for each
    connection keeps them apart, and they may share their ``metrics``.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.metrics = Metrics() if metrics is None else metrics
        self._exchanges = Exchanges()

    def snapshot(self) -> MetricsSnapshot:
        """The counts as they are now."""
        return self.metrics.snapshot()

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        """Nothing; no checkpoint."""
        return msg  # noqa: ASYNC910 - said above

    async def process_incoming(self, msg: WireModel) -> WireModel:
        """Nothing; no checkpoint."""
        return msg  # noqa: ASYNC910 - said above

    def on_encoded(self, msg: WireModel, size: int) -> None:
        """Count it as sent."""
        self.metrics.sent(kind_of(msg), size)
        self._time(msg)

    def on_decoded(self, msg: WireModel, size: int) -> None:
        """Count it as received."""
        self.metrics.received(kind_of(msg), size)
        self._time(msg)

    def on_failure(self, error: Exception) -> None:
        """Count it."""
        self.metrics.failed(error)

    def _time(self, msg: WireModel) -> None:
        exchanges = self._exchanges
        done = exchanges.pass_on(msg, trio.current_time())
        if done is not None:
            self.metrics.answered(*done)
        if exchanges.forgotten:
            self.metrics.forgot(exchanges.forgotten)
            exchanges.forgotten = 0
