"""The life of a bridge, as a table."""

from __future__ import annotations

from enum import Enum

from aip_trio.machine import Machine

__all__ = ["RPC_BRIDGE_MACHINE", "RpcBridgeEvent", "RpcBridgeState"]


class RpcBridgeState(Enum):
    """Where a bridge stands between an RPC service and a fleet."""

    CREATED = "created"
    WAITING = "waiting"  #: for heartbeats of the service; the fleet does not know of it
    JOINING = "joining"  #: the service is there; the device connects and registers
    JOINED = "joined"  #: the device is one of the fleet
    AWAY = "away"  #: it still is, but the service is silent: its tools fail
    LEAVING = "leaving"  #: the service has gone; the device ends its tasks and its connection
    STOPPED = "stopped"


class RpcBridgeEvent(Enum):
    """What happens to a bridge."""

    START = "start"
    PRESENT = "present"  #: heartbeats of the service come
    MISSING = "missing"  #: they do not, and may yet
    GONE = "gone"  #: they have stopped, or are another service's
    REGISTERED = "registered"
    LEFT = "left"
    LOST = "lost"  #: the device's end has failed as a whole, and is made anew
    STOP = "stop"


_S, _E = RpcBridgeState, RpcBridgeEvent

#: What every state in which the device is, or is to be, one of the fleet has in common.
_MEMBER = {_E.GONE: _S.LEAVING, _E.LOST: _S.WAITING, _E.STOP: _S.STOPPED}

RPC_BRIDGE_MACHINE = Machine(
    "RPC bridge",
    initial=_S.CREATED,
    terminal=frozenset({_S.STOPPED}),
    table={
        _S.CREATED: {_E.START: _S.WAITING},
        _S.WAITING: {_E.PRESENT: _S.JOINING, _E.STOP: _S.STOPPED},
        _S.JOINING: {_E.REGISTERED: _S.JOINED, **_MEMBER},
        _S.JOINED: {_E.MISSING: _S.AWAY, **_MEMBER},
        _S.AWAY: {_E.PRESENT: _S.JOINED, **_MEMBER},
        _S.LEAVING: {_E.LEFT: _S.WAITING, _E.LOST: _S.WAITING, _E.STOP: _S.STOPPED},
    },
)
