"""A client's connection to its server, as a device and an orchestrator have it."""

from aip_trio.endpoints.connection._connection import Connection, connection_spec
from aip_trio.endpoints.connection._dial import Dial, bearer, transports
from aip_trio.endpoints.connection._first import REPAIRS, connect_first, reconnect, revive
from aip_trio.endpoints.connection._line import ClientLine
from aip_trio.endpoints.connection._messages import LineDown, LineUp, Send, Taker
from aip_trio.endpoints.connection._outbox import Outbox
from aip_trio.endpoints.connection._session import ClientSession
from aip_trio.endpoints.connection._taps import Taps
from aip_trio.endpoints.connection._watch import Watch

__all__ = [
    "REPAIRS",
    "ClientLine",
    "ClientSession",
    "Connection",
    "Dial",
    "LineDown",
    "LineUp",
    "Outbox",
    "Send",
    "Taker",
    "Taps",
    "Watch",
    "bearer",
    "connect_first",
    "connection_spec",
    "reconnect",
    "revive",
    "transports",
]
