"""An RPC service as a device of an AIP fleet: its commands are the device's tools, its events telemetry."""

from aip_trio.rpc.bridge._bridge import RpcBridge
from aip_trio.rpc.bridge._commands import COMMANDS, BridgeCommand
from aip_trio.rpc.bridge._machine import RPC_BRIDGE_MACHINE, RpcBridgeEvent, RpcBridgeState
from aip_trio.rpc.bridge._service import ServiceClient

__all__ = [
    "COMMANDS",
    "RPC_BRIDGE_MACHINE",
    "BridgeCommand",
    "RpcBridge",
    "RpcBridgeEvent",
    "RpcBridgeState",
    "ServiceClient",
]
