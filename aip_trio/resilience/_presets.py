"""Settings that fit a kind of network (seed 001, "Environment-Specific Configuration")."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypedDict

import attrs

from aip_trio.resilience._reconnection import ReconnectionStrategy

__all__ = [
    "INTERNET",
    "LOCAL_NETWORK",
    "MOBILE",
    "PRESETS",
    "UNRELIABLE_NETWORK",
    "Preset",
    "TransportOptions",
]

_MIB = 1024 * 1024


class TransportOptions(TypedDict):
    """Arguments of a `WebSocketTransport`."""

    ping_interval: float
    ping_timeout: float
    close_timeout: float
    max_size: int


@attrs.frozen(kw_only=True)
class Preset:
    """One kind of network: times in seconds, ``max_size`` in bytes.

    ::

        transport = WebSocketTransport(**MOBILE.transport_options())
        endpoint = DeviceClientEndpoint(url, tools, reconnection_strategy=MOBILE.reconnection())
    """

    name: str
    ping_interval: float
    ping_timeout: float
    close_timeout: float
    max_size: int
    #: of the reconnection: the first wait and the longest one
    initial_backoff: float
    max_backoff: float

    def transport_options(self) -> TransportOptions:
        """The arguments of a transport."""
        return TransportOptions(
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            close_timeout=self.close_timeout,
            max_size=self.max_size,
        )

    def reconnection(self, max_retries: int | None = None) -> ReconnectionStrategy:
        """A new strategy, with jitter; for ever unless told otherwise."""
        return ReconnectionStrategy(max_retries, self.initial_backoff, self.max_backoff, jitter=True)


LOCAL_NETWORK = Preset(
    name="local network",
    ping_interval=15.0,
    ping_timeout=45.0,
    close_timeout=5.0,
    max_size=100 * _MIB,
    initial_backoff=0.5,
    max_backoff=10.0,
)
INTERNET = Preset(
    name="internet",
    ping_interval=30.0,
    ping_timeout=180.0,
    close_timeout=10.0,
    max_size=100 * _MIB,
    initial_backoff=1.0,
    max_backoff=60.0,
)
UNRELIABLE_NETWORK = Preset(
    name="unreliable network",
    ping_interval=60.0,
    ping_timeout=240.0,
    close_timeout=15.0,
    max_size=50 * _MIB,
    initial_backoff=2.0,
    max_backoff=120.0,
)
MOBILE = Preset(
    name="mobile",
    ping_interval=60.0,
    ping_timeout=180.0,
    close_timeout=10.0,
    max_size=10 * _MIB,
    initial_backoff=2.0,
    max_backoff=120.0,
)

#: All of them, by name.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {preset.name: preset for preset in (LOCAL_NETWORK, INTERNET, UNRELIABLE_NETWORK, MOBILE)}
)
