"""Messages, which are bytes, to one peer and back: over WebSocket, over ZeroMQ, or in memory.

A `Transport` connects, sends, receives and closes. `WebSocketTransport` does so over WebSocket, a client by
itself, a server by `serve_websocket`; `aip_trio.transport.zeromq.ZeroMQTransport` over ZeroMQ, and
`transport_for` takes the one that a URL is for; `MemoryTransport` inside one process, for tests. A `Bridge`
is the actor that stands between a transport and a mailbox.
"""

from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._adapters import ADAPTERS, AdapterName, check_adapter, create_adapter
from aip_trio.transport._addresses import LOOPBACK, Addresses
from aip_trio.transport._asgi_door import serve_asgi_websocket
from aip_trio.transport._asgi_socket import is_asgi_websocket
from aip_trio.transport._bridge import Attach, Bridge, Received, Transmit
from aip_trio.transport._by_url import transport_for
from aip_trio.transport._connecting import ConnectingTransport
from aip_trio.transport._handshake import Handshake, Refusal
from aip_trio.transport._memory import MemoryTransport
from aip_trio.transport._memory_network import MemoryNetwork, MemoryServer
from aip_trio.transport._server import WebSocketServer, WebSocketServerStatistics, serve_websocket
from aip_trio.transport._state import TRANSPORT_MACHINE, TransportEvent, TransportState
from aip_trio.transport._transport import Transport
from aip_trio.transport._websocket import WebSocketTransport

__all__ = [
    "ADAPTERS",
    "LOOPBACK",
    "TRANSPORT_MACHINE",
    "AdapterName",
    "Addresses",
    "Attach",
    "Bridge",
    "ConnectingTransport",
    "Handshake",
    "MemoryNetwork",
    "MemoryServer",
    "MemoryTransport",
    "Received",
    "Refusal",
    "Transmit",
    "Transport",
    "TransportEvent",
    "TransportState",
    "WebSocketAdapter",
    "WebSocketServer",
    "WebSocketServerStatistics",
    "WebSocketTransport",
    "check_adapter",
    "create_adapter",
    "is_asgi_websocket",
    "serve_asgi_websocket",
    "serve_websocket",
    "transport_for",
]
