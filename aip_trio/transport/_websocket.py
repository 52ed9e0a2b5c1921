"""A transport over WebSocket (RFC 6455)."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

import trio

from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._adapters import AdapterName, adapt, library_for, take_over
from aip_trio.transport._asgi_websocket import AsgiWebSocket
from aip_trio.transport._client import open_websocket
from aip_trio.transport._connecting import ConnectingTransport
from aip_trio.transport._hosted import HostedWebSocket
from aip_trio.transport._native import NativeWebSocket
from aip_trio.transport._opened import Opening
from aip_trio.transport._opening import Wish
from aip_trio.transport._settings import COMPRESSION_THRESHOLD, Compression, Settings
from aip_trio.transport._state import TRANSPORT_MACHINE, TransportEvent
from aip_trio.transport._url import WebSocketUrl
from aip_trio.transport._words import check_headers, check_subprotocols

__all__ = ["WebSocketTransport"]


class WebSocketTransport(ConnectingTransport):
    """Messages over WebSocket: text frames where they are UTF-8, else binary ones.

    ``websocket``: an open one of another library, for what `create_adapter` takes; without it, `connect`.
    Seconds: ``ping_interval`` between pings (None: none); after ``ping_timeout`` without a frame or a pong
    the connection is lost, with PeerSilent (None: never); ``close_timeout`` for the closing handshake.
    ``max_size``: bytes of a message that comes; a larger one closes the connection with 1009. Pings and the
    limit on what is in memory are ours only where the connection is; a given one has its library's.

    ``adapter``: what `connect` opens a WebSocket with. "native": code of our own; "websockets": the sans-I/O
    protocol of that library, which is faster with long messages; "trio-websocket": that library, which has
    no `send` that can be cancelled, and answers pings only while its messages are received.

    ``compression``: with "deflate" messages from ``compression_threshold`` bytes on are compressed, where the
    server agrees (RFC 7692). ``max_size`` is that of the decompressed message. It is off by default: on the
    loopback and in a fast network it takes longer than it saves.

    Raises InvalidSpec, AdapterMissing where the adapter's library is not installed, and UnknownWebSocket for
    a ``websocket`` of no library we know.
    """

    def __init__(
        self,
        websocket: object = None,
        ping_interval: float | None = 30.0,
        ping_timeout: float | None = 180.0,
        close_timeout: float = 10.0,
        max_size: int = 104857600,
        *,
        adapter: AdapterName = "native",
        compression: Compression = None,
        compression_threshold: int = COMPRESSION_THRESHOLD,
    ) -> None:
        super().__init__()
        self._settings = Settings(
            ping_interval,
            ping_timeout,
            close_timeout,
            max_size,
            compression=compression,
            compression_threshold=compression_threshold,
        )
        self._library = library_for(adapter, self._settings)
        self._websocket = websocket
        if websocket is not None:
            self._adapt(websocket)

    def _adapt(self, websocket: object) -> None:
        self._connection = adapter = adapt(websocket, self._settings)
        if isinstance(adapter, (NativeWebSocket, HostedWebSocket, AsgiWebSocket)):
            self._life = adapter.life
        else:
            self._life.begin()
            self._life.fire(TransportEvent.SUCCEED)

    async def connect(
        self,
        url: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] = (),
        connect_timeout: float = 30.0,
    ) -> None:
        """Connect to a ``ws://`` or ``wss://`` URL. A checkpoint. Cancelled: as if it had failed.

        Its tasks live in the block of ``async with transport``, else in the actor that calls, else in the
        system; raises NoSystem outside of all three, and what `Transport.connect` says.
        """
        TRANSPORT_MACHINE.next(self.state, TransportEvent.CONNECT)
        where = WebSocketUrl.parse(url)
        wish = Wish(where, check_headers(headers), check_subprotocols(subprotocols))
        asking = self._library.ask(wish, self._settings)
        await self._open(
            url,
            connect_timeout,
            lambda nursery: open_websocket(where, ssl_context, asking, nursery),
            self._take_over,
        )

    def _take_over(self, opened: Opening, nursery: trio.Nursery) -> WebSocketAdapter:
        self._websocket = adapter = take_over(opened, self._settings, self._life, nursery)
        return adapter

    @property
    def websocket(self) -> object:
        """The WebSocket that it uses: the one it was given, or one of its own; None before the first."""
        return self._websocket
