"""What a bridge has to do next. No I/O here."""

from __future__ import annotations

from aip_trio.rpc.bridge._machine import RpcBridgeEvent, RpcBridgeState
from aip_trio.rpc.client import PresenceState

__all__ = ["next_event"]

_S, _E = RpcBridgeState, RpcBridgeEvent


def next_event(state: RpcBridgeState, presence: PresenceState, *, same: bool = True) -> RpcBridgeEvent | None:
    """The event that follows from the service's presence alone, or None.

    It looks at how things are, not at how they came to be so: what happens while something else is under way
    is not lost, and what is over by then is not done. ``same``: it is still the service that the device has
    joined for.
    """
    if state in (_S.JOINING, _S.JOINED, _S.AWAY) and (presence is PresenceState.GONE or not same):
        return _E.GONE
    if state in (_S.WAITING, _S.AWAY) and presence is PresenceState.PRESENT:
        return _E.PRESENT
    if state is _S.JOINED and presence is PresenceState.MISSING:
        return _E.MISSING
    return None
