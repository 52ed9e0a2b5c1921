"""The five states of a transport."""

from enum import Enum

from aip_trio.machine import Machine

__all__ = ["TRANSPORT_MACHINE", "TransportEvent", "TransportState"]


class TransportState(Enum):
    """Where a transport stands (seed 001). Only CONNECTED sends and receives."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"
    ERROR = "error"  #: look into it, then reset()


class TransportEvent(Enum):
    """What moves a transport on."""

    CONNECT = "connect"  #: connect() is called
    SUCCEED = "succeed"  #: the connection is made
    FAIL = "fail"  #: it was not, or it broke
    CLOSE = "close"  #: one side closes it
    COMPLETE = "complete"  #: both have, or close_timeout has passed
    RESET = "reset"  #: reset() is called


TRANSPORT_MACHINE = Machine(
    "transport",
    initial=TransportState.DISCONNECTED,
    table={
        TransportState.DISCONNECTED: {TransportEvent.CONNECT: TransportState.CONNECTING},
        TransportState.CONNECTING: {
            TransportEvent.SUCCEED: TransportState.CONNECTED,
            TransportEvent.FAIL: TransportState.ERROR,
        },
        TransportState.CONNECTED: {
            TransportEvent.FAIL: TransportState.ERROR,
            TransportEvent.CLOSE: TransportState.DISCONNECTING,
        },
        TransportState.DISCONNECTING: {TransportEvent.COMPLETE: TransportState.DISCONNECTED},
        TransportState.ERROR: {TransportEvent.RESET: TransportState.DISCONNECTED},
    },
)
