"""Which adapter fits which library's WebSocket."""

from __future__ import annotations

import trio_websocket

from aip_trio.errors import UnknownWebSocket
from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._settings import Settings
from aip_trio.transport._trio_websocket import TrioWebSocketAdapter

__all__ = ["adapt", "create_adapter"]


def create_adapter(websocket: object) -> WebSocketAdapter:
    """The adapter of an open WebSocket, by its library; an adapter is its own. Raises UnknownWebSocket."""
    return adapt(websocket, Settings())


def adapt(websocket: object, settings: Settings) -> WebSocketAdapter:
    """`create_adapter`, with a transport's own limits."""
    if isinstance(websocket, WebSocketAdapter):
        return websocket
    if isinstance(websocket, trio_websocket.WebSocketConnection):
        return TrioWebSocketAdapter(websocket, settings)
    raise UnknownWebSocket(websocket)
