"""The life of a service, as a table."""

from __future__ import annotations

from enum import Enum

from aip_trio.machine import Machine

__all__ = ["RPC_SERVICE_MACHINE", "RpcServiceEvent", "RpcServiceState"]


class RpcServiceState(Enum):
    """Where a service stands (seed 004, "Client Integration")."""

    CREATED = "created"
    STARTED = "started"
    STOPPED = "stopped"  #: for good


class RpcServiceEvent(Enum):
    """What happens to a service."""

    START = "start"
    STOP = "stop"  #: by its owner, or because it failed


RPC_SERVICE_MACHINE = Machine(
    "RPC service",
    initial=RpcServiceState.CREATED,
    terminal=frozenset({RpcServiceState.STOPPED}),
    table={
        RpcServiceState.CREATED: {RpcServiceEvent.START: RpcServiceState.STARTED},
        RpcServiceState.STARTED: {RpcServiceEvent.STOP: RpcServiceState.STOPPED},
    },
)
