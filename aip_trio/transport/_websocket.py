"""A transport over WebSocket (RFC 6455)."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import NoReturn, Self

import trio

from aip_trio.actors import current_nursery
from aip_trio.errors import (
    ConnectFailed,
    ConnectionLost,
    NoSystem,
    PeerSilent,
    TransportError,
    UnexpectedFrame,
)
from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._adapters import AdapterName, adapt, library_for, take_over
from aip_trio.transport._asgi_websocket import AsgiWebSocket
from aip_trio.transport._client import open_websocket
from aip_trio.transport._codes import ABNORMAL, check_code
from aip_trio.transport._hosted import HostedWebSocket
from aip_trio.transport._life import Life
from aip_trio.transport._native import NativeWebSocket
from aip_trio.transport._opening import Wish
from aip_trio.transport._payload import as_bytes, is_text
from aip_trio.transport._settings import COMPRESSION_THRESHOLD, Compression, Settings, check_seconds
from aip_trio.transport._state import TRANSPORT_MACHINE, TransportEvent, TransportState
from aip_trio.transport._transport import Transport
from aip_trio.transport._url import WebSocketUrl
from aip_trio.transport._words import check_headers, check_subprotocols

__all__ = ["WebSocketTransport"]

_CALLED_OFF = "it was called off"


class WebSocketTransport(Transport):
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
        self._settings = Settings(
            ping_interval,
            ping_timeout,
            close_timeout,
            max_size,
            compression=compression,
            compression_threshold=compression_threshold,
        )
        self._library = library_for(adapter, self._settings)
        self._life = Life()
        self._adapter: WebSocketAdapter | None = None
        self._websocket = websocket
        self._attempt: trio.CancelScope | None = None
        self._nursery: trio.Nursery | None = None
        self._nursery_manager: AbstractAsyncContextManager[trio.Nursery] | None = None
        if websocket is not None:
            self._adapt(websocket)

    def _adapt(self, websocket: object) -> None:
        self._adapter = adapter = adapt(websocket, self._settings)
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
        check_seconds("connect_timeout", connect_timeout)
        nursery = self._nursery or current_nursery()
        if nursery is None:
            raise NoSystem("connect() of a transport that is not used as `async with transport:`,")
        self._life.begin()
        try:
            opened = None
            with trio.move_on_after(connect_timeout) as self._attempt:
                opened = await open_websocket(where, ssl_context, asking, nursery)
            if opened is None:
                late = trio.current_time() >= self._attempt.deadline
                reason = f"no answer within connect_timeout={connect_timeout} s" if late else _CALLED_OFF
                raise ConnectFailed(url, reason)
        except BaseException as error:
            loss = error if isinstance(error, TransportError) else ConnectFailed(url, _CALLED_OFF)
            self._life.fail(loss)
            raise
        finally:
            self._attempt = None
        self._life.fire(TransportEvent.SUCCEED)
        self._adapter = self._websocket = take_over(opened, self._settings, self._life, nursery)

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send a message: a text frame where it is valid UTF-8, else a binary one. See `Transport.send`."""
        message = as_bytes(data)
        adapter = self._open_adapter or await self._refuse("send()")
        try:
            if is_text(message):
                await adapter.send_text(message)
            else:
                await adapter.send_bytes(message)
        except TransportError as loss:
            self._noticed(loss)
            raise

    def send_nowait(self, data: bytes | bytearray | memoryview) -> None:
        """Send a message where nobody has to wait for it. See `Transport.send_nowait`."""
        adapter = self._open_adapter
        if adapter is None:  # `send` knows why
            raise trio.WouldBlock
        message = as_bytes(data)
        adapter.send_nowait(message, text=is_text(message))

    async def send_binary(self, data: bytes | bytearray | memoryview) -> None:
        """Send a message as a binary frame. See `Transport.send`."""
        message = as_bytes(data)
        adapter = self._open_adapter or await self._refuse("send()")
        try:
            await adapter.send_bytes(message)
        except TransportError as loss:
            self._noticed(loss)
            raise

    async def send_announced(self, announcement: bytes, data: bytes | bytearray | memoryview) -> None:
        """Send a text frame and the binary one that it announces. See `Transport.send_announced`."""
        message = as_bytes(data)
        adapter = self._open_adapter or await self._refuse("send()")
        try:
            await adapter.send_announced(announcement, message)
        except TransportError as loss:
            self._noticed(loss)
            raise

    async def receive(self) -> bytes:
        """The next message, whatever frame it came in. See `Transport.receive`."""
        adapter = self._attached("receive()")
        try:
            return await adapter.receive_bytes()
        except TransportError as loss:
            self._noticed(loss)
            raise

    async def receive_auto(self) -> str | bytes:
        """The next message: a str from a text frame, bytes from a binary one. See `Transport.receive`."""
        adapter = self._attached("receive()")
        try:
            return await adapter.receive_auto()
        except TransportError as loss:
            self._noticed(loss)
            raise

    async def receive_binary(self) -> bytes:
        """The next message, which is a binary frame; else UnexpectedFrame, and it is lost."""
        data = await self.receive_auto()
        if isinstance(data, str):
            raise UnexpectedFrame("binary", "text")
        return data

    async def ping(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - a check, which has its own time
        """Send a ping and wait for its pong. A checkpoint; raises PeerSilent after ``timeout`` seconds.

        The connection stays what it is. Messages that wait to be received do not keep the pong away, unless
        they are too many to be read at all.
        """
        check_seconds("timeout", timeout)
        adapter = self._open_adapter or await self._refuse("ping()")
        with trio.move_on_after(timeout) as scope:
            await adapter.ping()
        if scope.cancelled_caught:
            raise PeerSilent(timeout)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """The closing handshake, of at most ``close_timeout`` seconds. A checkpoint.

        Messages that were not received are dropped; what waits to be sent goes out before. An attempt to
        connect is called off; without a connection nothing happens. Cancelled: it ends at once. Raises
        InvalidSpec for a ``code`` that no close frame may carry; a ``reason`` is cut to 123 bytes.
        """
        check_code(code)
        if self._attempt is not None:
            self._attempt.cancel()
        adapter = self._adapter
        if adapter is None:
            await trio.lowlevel.checkpoint()
            return
        self._life.closing()
        try:
            await adapter.close(code, reason)
        finally:
            if self._life.state is TransportState.DISCONNECTING:
                self._life.end(None)

    async def wait_closed(self) -> None:
        """Wait until the connection's socket is closed, whoever closes it. A checkpoint."""
        if self._adapter is None:
            await trio.lowlevel.checkpoint()
        else:
            await self._adapter.wait_closed()

    def reset(self) -> None:
        """From ERROR back to DISCONNECTED. Raises IllegalTransition in any other state."""
        self._life.fire(TransportEvent.RESET)

    @property
    def state(self) -> TransportState:
        """Where it stands."""
        self._look()
        return self._life.state

    @property
    def is_connected(self) -> bool:
        """Whether messages can be sent and received."""
        self._look()
        return self._life.connected

    @property
    def websocket(self) -> object:
        """The WebSocket that it uses: the one it was given, or one of its own; None before the first."""
        return self._websocket

    @property
    def peer(self) -> str:
        """``host:port`` of the peer, for the log."""
        return self._adapter.peer if self._adapter is not None else "nobody"

    @property
    def peer_names(self) -> tuple[str, ...]:
        """The common name and DNS names of the certificate that the peer has shown; none: no certificate."""
        return self._adapter.peer_names if self._adapter is not None else ()

    @property
    def subprotocol(self) -> str | None:
        """What both sides agreed on, None for nothing."""
        return self._adapter.subprotocol if self._adapter is not None else None

    @property
    def close_code(self) -> int | None:
        """How the last connection ended (RFC 6455, section 7.1.5): 1006: no close frame; None: not yet."""
        return self._adapter.close_code if self._adapter is not None else None

    @property
    def close_reason(self) -> str:
        """What the side that closed it said about it."""
        return self._adapter.close_reason if self._adapter is not None else ""

    @property
    def last_heard(self) -> float:
        """When a frame or a pong came from the peer, in Trio's clock."""
        return self._adapter.last_heard if self._adapter is not None else super().last_heard

    async def __aenter__(self) -> Self:
        self._nursery_manager = trio.open_nursery()
        self._nursery = await self._nursery_manager.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        manager, self._nursery_manager = self._nursery_manager, None
        assert manager is not None
        try:
            await self.close()  # noqa: ASYNC102 - ends at once where it is cancelled
        finally:
            self._nursery = None
            await manager.__aexit__(None, None, None)  # noqa: ASYNC102 - ends at once where it is cancelled

    @property
    def _open_adapter(self) -> WebSocketAdapter | None:
        adapter = self._adapter
        return adapter if adapter is not None and adapter.is_open() else None

    async def _refuse(self, call: str) -> NoReturn:
        """Raise why this call cannot be made; where the peer is closing, once that is done."""
        if self._adapter is not None and self._life.parting:
            await self._adapter.wait_closed()
        self._look()
        raise self._life.refusal(call)

    def _attached(self, call: str) -> WebSocketAdapter:
        if self._adapter is None:
            raise self._life.refusal(call)
        return self._adapter

    def _look(self) -> None:
        """An adapter that has no task of its own tells of its end when it is asked."""
        if self._life.connected and self._adapter is not None and not self._adapter.is_open():
            code = self._adapter.close_code
            loss = ConnectionLost(ABNORMAL if code is None else code, self._adapter.close_reason)
            if loss.code == ABNORMAL:
                self._life.fail(loss)
            else:
                self._life.end(loss)

    def _noticed(self, loss: TransportError) -> None:
        """As `_look`, where it is known what was lost."""
        if self._life.connected and self._adapter is not None and not self._adapter.is_open():
            if isinstance(loss, ConnectionLost) and loss.code != ABNORMAL:
                self._life.end(loss)
            else:
                self._life.fail(loss)
