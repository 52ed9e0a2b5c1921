"""What looks at every message of a protocol on its way out and in, and what comes with the package."""

from aip_trio.protocol.middleware._base import ProtocolMiddleware
from aip_trio.protocol.middleware._bucket import TokenBucket
from aip_trio.protocol.middleware._chains import ChainMiddleware
from aip_trio.protocol.middleware._exchanges import Exchanges
from aip_trio.protocol.middleware._histogram import Histogram, Latency
from aip_trio.protocol.middleware._logging import LoggingMiddleware
from aip_trio.protocol.middleware._metrics import Metrics, MetricsMiddleware, MetricsSnapshot
from aip_trio.protocol.middleware._pipeline import Pipeline
from aip_trio.protocol.middleware._rate_limit import RateLimitMiddleware

__all__ = [
    "ChainMiddleware",
    "Exchanges",
    "Histogram",
    "Latency",
    "LoggingMiddleware",
    "Metrics",
    "MetricsMiddleware",
    "MetricsSnapshot",
    "Pipeline",
    "ProtocolMiddleware",
    "RateLimitMiddleware",
    "TokenBucket",
]
