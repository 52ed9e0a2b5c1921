"""Which transport a URL is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aip_trio.errors import InvalidUrl
from aip_trio.transport._adapters import AdapterName
from aip_trio.transport._transport import Transport
from aip_trio.transport._websocket import WebSocketTransport

if TYPE_CHECKING:
    from aip_trio.transport.zeromq import CurveClient

__all__ = ["transport_for"]

_WEBSOCKET = ("ws", "wss")
_ZEROMQ = ("tcp", "ipc", "inproc")


def transport_for(
    url: str, *, adapter: AdapterName = "native", curve: CurveClient | None = None
) -> Transport:
    """A transport, not connected yet, that can connect to this URL: by its scheme alone.

    ``ws``, ``wss``: a `WebSocketTransport` with this ``adapter``. ``tcp``, ``ipc``, ``inproc``: a
    `aip_trio.transport.zeromq.ZeroMQTransport` with this ``curve``. Raises InvalidUrl, InvalidSpec, and
    ZeroMQMissing where pyzmq is not installed.
    """
    scheme = url.partition("://")[0].lower() if isinstance(url, str) else ""
    if scheme in _WEBSOCKET:
        return WebSocketTransport(adapter=adapter)
    if scheme in _ZEROMQ:
        from aip_trio.transport.zeromq import ZeroMQTransport

        return ZeroMQTransport(curve=curve)
    known = ", ".join(f"{each}://" for each in (*_WEBSOCKET, *_ZEROMQ))
    raise InvalidUrl(url, f"is of no transport that there is: begin it with one of {known}")
