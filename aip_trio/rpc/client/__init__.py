"""Clients of a device's service: commands, typed events, presence."""

from aip_trio.rpc.client._client import RpcClient, RpcClientStatistics
from aip_trio.rpc.client._presence import PRESENCE_MACHINE, Presence, PresenceEvent, PresenceState
from aip_trio.rpc.client._presence_keeper import PresenceChanges
from aip_trio.rpc.client._published import (
    CommandResult,
    Dropped,
    Event,
    Gap,
    Heartbeat,
    PropertyChange,
    Published,
    Restarted,
)
from aip_trio.rpc.client._reader import SubscriptionStatistics
from aip_trio.rpc.client._subscription import Subscription

__all__ = [
    "PRESENCE_MACHINE",
    "CommandResult",
    "Dropped",
    "Event",
    "Gap",
    "Heartbeat",
    "Presence",
    "PresenceChanges",
    "PresenceEvent",
    "PresenceState",
    "PropertyChange",
    "Published",
    "Restarted",
    "RpcClient",
    "RpcClientStatistics",
    "Subscription",
    "SubscriptionStatistics",
]
