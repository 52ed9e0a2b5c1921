"""An extension that counts."""

from __future__ import annotations

from typing import Any

import trio

from aip_trio.extensions._base import AIPExtension
from aip_trio.messages import WireModel
from aip_trio.protocol import Exchanges, Histogram

__all__ = ["MetricsExtension"]


class MetricsExtension(AIPExtension):
    """Counts messages, connections and errors, and measures how long answers take. Constant memory.

    One object sees all connections of its endpoint, a moment after they have happened. For bytes, or exact
    times, there is `MetricsMiddleware`.
    """

    def __init__(self) -> None:
        self.reset_metrics()

    def reset_metrics(self) -> None:
        """Begin anew."""
        self._sent = self._received = self._established = self._closed = self._errors = 0
        self._types: dict[str, int] = {}
        self._exchanges = Exchanges()
        self._latency = Histogram()

    def get_metrics(self) -> dict[str, Any]:
        """The counts so far, in JSON's types; latencies in seconds, where an answer was seen."""
        metrics: dict[str, Any] = {
            "messages_sent": self._sent,
            "messages_received": self._received,
            "connections_established": self._established,
            "connections_closed": self._closed,
            "errors": self._errors,
            "message_types": dict(self._types),
        }
        latency = self._latency.snapshot()
        if latency.count:
            metrics["answers"] = latency.count
            metrics["avg_latency"] = latency.total / latency.count
            metrics["min_latency"], metrics["max_latency"] = latency.minimum, latency.maximum
            metrics["p50_latency"], metrics["p90_latency"] = latency.p50, latency.p90
            metrics["p99_latency"] = latency.p99
        return metrics

    async def on_message_sent(self, msg: WireModel) -> None:  # noqa: ASYNC910 - nothing to wait for
        """Count it."""
        self._sent += 1
        self._count(msg)

    async def on_message_received(self, msg: WireModel) -> None:  # noqa: ASYNC910 - nothing to wait for
        """Count it."""
        self._received += 1
        self._count(msg)

    async def on_connection_established(self, endpoint_id: str) -> None:  # noqa: ASYNC910 - nothing to wait for
        """Count it."""
        self._established += 1

    async def on_connection_closed(self, endpoint_id: str) -> None:  # noqa: ASYNC910 - nothing to wait for
        """Count it."""
        self._closed += 1

    async def on_error(self, error: Exception, context: str) -> None:  # noqa: ASYNC910 - nothing to wait for
        """Count it."""
        self._errors += 1

    def _count(self, msg: WireModel) -> None:
        kind = str(getattr(msg, "type", type(msg).__name__))
        self._types[kind] = self._types.get(kind, 0) + 1
        done = self._exchanges.pass_on(msg, trio.current_time())
        if done is not None:
            self._latency.record(done[1])
