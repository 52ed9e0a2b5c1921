"""The server's side: devices and orchestrators connect to it, and it runs the tasks between them."""

from aip_trio.endpoints.server._endpoint import DeviceServerEndpoint
from aip_trio.endpoints.server._limits import Limits
from aip_trio.endpoints.server._listed import run_listed_commands
from aip_trio.endpoints.server._session import Session, TaskFunction
from aip_trio.endpoints.server._statistics import ServerStatistics

__all__ = [
    "DeviceServerEndpoint",
    "Limits",
    "ServerStatistics",
    "Session",
    "TaskFunction",
    "run_listed_commands",
]
