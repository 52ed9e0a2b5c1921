"""Links: connections that lose nothing, over one physical connection after another (`aip.v2`).

`open_link` and `LinkServer` make them; a `LinkTransport` is a `Transport` like any other. What is sent, kept,
dropped, acknowledged and sent again is decided in `LinkSession`, without I/O.
"""

from aip_trio.protocol.link._client import open_link
from aip_trio.protocol.link._limits import LinkLimits
from aip_trio.protocol.link._machine import LINK_MACHINE, LinkEvent, LinkState
from aip_trio.protocol.link._server import LinkServer
from aip_trio.protocol.link._session import LinkSession
from aip_trio.protocol.link._statistics import LinkStatistics
from aip_trio.protocol.link._transport import LinkTransport
from aip_trio.protocol.link._wire import SUBPROTOCOLS

__all__ = [
    "LINK_MACHINE",
    "SUBPROTOCOLS",
    "LinkEvent",
    "LinkLimits",
    "LinkServer",
    "LinkSession",
    "LinkState",
    "LinkStatistics",
    "LinkTransport",
    "open_link",
]
