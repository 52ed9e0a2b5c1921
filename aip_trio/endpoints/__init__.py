"""The three ends of AIP: a device server, its devices, and orchestrators.

Each is a tree of supervised actors; ``docs/explanation/endpoints.md`` draws them.
"""

from aip_trio.endpoints._base import AIPEndpoint
from aip_trio.endpoints._fittings import Middleware
from aip_trio.endpoints._lifecycle import (
    CLIENT_LIFECYCLE,
    CONSTELLATION_LIFECYCLE,
    SERVER_LIFECYCLE,
    ClientEvent,
    ClientState,
    ConstellationEvent,
    ConstellationState,
    ServerEvent,
    ServerState,
)
from aip_trio.endpoints._processors import MessageProcessor
from aip_trio.endpoints._profile import AgentProfile
from aip_trio.endpoints._tasks import ExecutionResult, TaskRequest
from aip_trio.endpoints.constellation import ConstellationEndpoint
from aip_trio.endpoints.device import Client, DeviceClientEndpoint
from aip_trio.endpoints.server import (
    DeviceServerEndpoint,
    Limits,
    ServerStatistics,
    Session,
    TaskFunction,
    run_listed_commands,
)

__all__ = [
    "CLIENT_LIFECYCLE",
    "CONSTELLATION_LIFECYCLE",
    "SERVER_LIFECYCLE",
    "AIPEndpoint",
    "AgentProfile",
    "Client",
    "ClientEvent",
    "ClientState",
    "ConstellationEndpoint",
    "ConstellationEvent",
    "ConstellationState",
    "DeviceClientEndpoint",
    "DeviceServerEndpoint",
    "ExecutionResult",
    "Limits",
    "MessageProcessor",
    "Middleware",
    "ServerEvent",
    "ServerState",
    "ServerStatistics",
    "Session",
    "TaskFunction",
    "TaskRequest",
    "run_listed_commands",
]
