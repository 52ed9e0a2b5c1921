"""ZeroMQ on Trio: sockets of every kind, and the transport over them. The extra ``zmq``.

A `ZeroMQSocket` sends and receives messages of frames, as one of the kinds that `Kind` has. A
`ZeroMQTransport` is a `Transport`, what `serve_zeromq` serves: over it endpoints run as over WebSocket.
Importing this without pyzmq raises ZeroMQMissing.
"""

from aip_trio.errors import ZeroMQMissing

try:
    import zmq as _zmq  # noqa: F401 # pyright: ignore[reportUnusedImport] - whether it is there
except ImportError as _error:
    raise ZeroMQMissing(str(_error)) from _error

from aip_trio.transport.zeromq._curve import Curve, CurveClient, CurveKeys, CurveServer
from aip_trio.transport.zeromq._events import (
    Closed,
    Connected,
    Connecting,
    Disconnected,
    EventsLost,
    HandshakeFailed,
    HandshakeSucceeded,
    Listening,
    MonitorEvent,
    SocketEvent,
)
from aip_trio.transport.zeromq._kind import Kind, WhenFull
from aip_trio.transport.zeromq._monitor import Monitor
from aip_trio.transport.zeromq._peer import Delivery, Peer
from aip_trio.transport.zeromq._server import ZeroMQServer, ZeroMQServerStatistics, serve_zeromq
from aip_trio.transport.zeromq._socket import ZeroMQSocket
from aip_trio.transport.zeromq._transport import ZeroMQTransport

__all__ = [
    "Closed",
    "Connected",
    "Connecting",
    "Curve",
    "CurveClient",
    "CurveKeys",
    "CurveServer",
    "Delivery",
    "Disconnected",
    "EventsLost",
    "HandshakeFailed",
    "HandshakeSucceeded",
    "Kind",
    "Listening",
    "Monitor",
    "MonitorEvent",
    "Peer",
    "SocketEvent",
    "WhenFull",
    "ZeroMQServer",
    "ZeroMQServerStatistics",
    "ZeroMQSocket",
    "ZeroMQTransport",
    "serve_zeromq",
]
