"""Failure over time: when to try again, when to give up, and whether the peer still lives.

Decisions are pure: no I/O, no clock, no chance. The few parts that carry them out on Trio know protocols
and endpoints only by what they need of them.
"""

from aip_trio.resilience._backoff import Backoff
from aip_trio.resilience._heartbeat import (
    HEARTBEAT_MACHINE,
    HeartbeatDetector,
    HeartbeatEvent,
    HeartbeatState,
)
from aip_trio.resilience._heartbeat_manager import HeartbeatManager, HeartbeatSender
from aip_trio.resilience._intensity import Restart, RestartWindow
from aip_trio.resilience._linear import LinearBackoff
from aip_trio.resilience._presets import (
    INTERNET,
    LOCAL_NETWORK,
    MOBILE,
    PRESETS,
    UNRELIABLE_NETWORK,
    Preset,
    TransportOptions,
)
from aip_trio.resilience._reconnection import Reconnectable, ReconnectionPolicy, ReconnectionStrategy
from aip_trio.resilience._timeouts import TimeoutManager

__all__ = [
    "HEARTBEAT_MACHINE",
    "INTERNET",
    "LOCAL_NETWORK",
    "MOBILE",
    "PRESETS",
    "UNRELIABLE_NETWORK",
    "Backoff",
    "HeartbeatDetector",
    "HeartbeatEvent",
    "HeartbeatManager",
    "HeartbeatSender",
    "HeartbeatState",
    "LinearBackoff",
    "Preset",
    "Reconnectable",
    "ReconnectionPolicy",
    "ReconnectionStrategy",
    "Restart",
    "RestartWindow",
    "TimeoutManager",
    "TransportOptions",
]
