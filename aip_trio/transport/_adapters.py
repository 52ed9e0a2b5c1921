"""The adapters by their names, and which of them fits which library's WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import attrs
import trio
import trio_websocket

from aip_trio.errors import AdapterMissing, InvalidSpec, UnknownWebSocket
from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._asgi_adapter import AsgiAdapter
from aip_trio.transport._asgi_socket import is_asgi_websocket
from aip_trio.transport._hosted import HostedWebSocket
from aip_trio.transport._life import Life
from aip_trio.transport._native import NativeWebSocket
from aip_trio.transport._opened import Opened, Opening
from aip_trio.transport._opening import Asking, Hearing, Wish
from aip_trio.transport._settings import Settings
from aip_trio.transport._trio_websocket import TrioWebSocketAdapter

__all__ = [
    "ADAPTERS",
    "AdapterName",
    "Library",
    "adapt",
    "check_adapter",
    "create_adapter",
    "library",
    "library_for",
    "take_over",
]

AdapterName: TypeAlias = Literal["native", "websockets", "trio-websocket"]


@attrs.frozen
class Library:
    """What opens WebSockets, on either side."""

    ask: Callable[[Wish, Settings], Asking]
    hear: Callable[[Settings], Hearing]
    compresses: bool = True


def _native() -> Library:
    from aip_trio.transport._wsproto import WsprotoAsking, WsprotoHearing

    return Library(WsprotoAsking, WsprotoHearing)


def _websockets() -> Library:
    from aip_trio.transport._websockets import WebsocketsAsking, WebsocketsHearing

    return Library(WebsocketsAsking, WebsocketsHearing)


def _trio_websocket() -> Library:
    from aip_trio.transport._trio_websocket_opening import TrioWebSocketAsking, TrioWebSocketHearing

    return Library(TrioWebSocketAsking, TrioWebSocketHearing, compresses=False)


_LIBRARIES: dict[str, Callable[[], Library]] = {
    "native": _native,
    "websockets": _websockets,
    "trio-websocket": _trio_websocket,
}

#: Their names, the default first.
ADAPTERS: tuple[AdapterName, ...] = get_args(AdapterName)


def library(name: str) -> Library:
    """The library that this adapter opens WebSockets with.

    Raises InvalidSpec for a name that is none, AdapterMissing where it is not installed.
    """
    load = _LIBRARIES.get(name)
    if load is None:
        raise InvalidSpec("adapter", name, f"is none: give one of {', '.join(ADAPTERS)}")
    try:
        return load()
    except ImportError as error:
        raise AdapterMissing(name, name, str(error)) from error


def library_for(name: str, settings: Settings) -> Library:
    """`library`, where it can do what these settings ask for. Raises InvalidSpec, too."""
    found = library(name)
    if settings.compression is not None and not found.compresses:
        reason = f"adapter={name} cannot: give None, or another adapter"
        raise InvalidSpec("compression", settings.compression, reason)
    return found


def check_adapter(name: AdapterName) -> AdapterName:
    """The name of an adapter that is there. Raises InvalidSpec, AdapterMissing."""
    library(name)
    return name


def take_over(opening: Opening, settings: Settings, life: Life, nursery: trio.Nursery) -> WebSocketAdapter:
    """What a handshake led to, as an adapter; its tasks live in ``nursery``."""
    if isinstance(opening, Opened):
        websocket = NativeWebSocket(opening, settings=settings, life=life, nursery=nursery)
        nursery.start_soon(websocket.run)
        return websocket
    hosted = HostedWebSocket(opening, settings=settings, life=life)
    nursery.start_soon(hosted.run)
    return hosted


def create_adapter(websocket: object) -> WebSocketAdapter:
    """The adapter of an open WebSocket, by its library; an adapter is its own. Raises UnknownWebSocket."""
    return adapt(websocket, Settings())


def adapt(websocket: object, settings: Settings) -> WebSocketAdapter:
    """`create_adapter`, with a transport's own limits."""
    if isinstance(websocket, WebSocketAdapter):
        return websocket
    if isinstance(websocket, trio_websocket.WebSocketConnection):
        return TrioWebSocketAdapter(websocket, settings)
    if is_asgi_websocket(websocket):
        return AsgiAdapter(websocket, settings)
    raise UnknownWebSocket(websocket)
