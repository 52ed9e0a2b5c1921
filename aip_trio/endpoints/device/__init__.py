"""A device's side: connects to a server, and does what it is told."""

from aip_trio.endpoints.device._endpoint import DeviceClientEndpoint
from aip_trio.endpoints.device._executor import Client

__all__ = ["Client", "DeviceClientEndpoint"]
