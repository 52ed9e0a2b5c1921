"""The service of events and commands, on supervised actors."""

from aip_trio.rpc.service._delegate import CommandRequestDelegate
from aip_trio.rpc.service._machine import RPC_SERVICE_MACHINE, RpcServiceEvent, RpcServiceState
from aip_trio.rpc.service._service import RpcService, RpcUrls, create_api_service
from aip_trio.rpc.service._statistics import RpcStatistics

__all__ = [
    "RPC_SERVICE_MACHINE",
    "CommandRequestDelegate",
    "RpcService",
    "RpcServiceEvent",
    "RpcServiceState",
    "RpcStatistics",
    "RpcUrls",
    "create_api_service",
]
