"""What a program may be told of its endpoints: messages, connections and errors, beside their work.

Give an endpoint ``extensions=[...]``: a `LoggingExtension`, a `MetricsExtension`, or an `AIPExtension` of the
program's own.
"""

from aip_trio.extensions._base import AIPExtension
from aip_trio.extensions._calls import ExtensionCalls
from aip_trio.extensions._logging import LoggingExtension
from aip_trio.extensions._metrics import MetricsExtension
from aip_trio.extensions._tap import ExtensionTap

__all__ = ["AIPExtension", "ExtensionCalls", "ExtensionTap", "LoggingExtension", "MetricsExtension"]
