"""The adapter of trio-websocket's connections."""

from __future__ import annotations

import trio
from trio_websocket import CloseReason, ConnectionClosed, WebSocketConnection

from aip_trio.errors import ConnectionLost, MessageTooLarge, TransportBusy, TransportClosed, TransportError
from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._codes import ABNORMAL, TOO_BIG
from aip_trio.transport._opened import names_of
from aip_trio.transport._settings import Settings

__all__ = ["TrioWebSocketAdapter"]


class TrioWebSocketAdapter(WebSocketAdapter):
    """A connection of trio-websocket, which belongs to whoever opened it, with its tasks and its own limits.

    It has no keepalive, and answers pings only while its messages are received. A send that is cancelled ends
    it: trio-websocket cannot tell how much of the frame was written.
    """

    def __init__(self, websocket: WebSocketConnection, settings: Settings) -> None:
        self._websocket = websocket
        self._settings = settings
        self._last_heard = trio.current_time()
        self._receiving = False
        self._sending = trio.StrictFIFOLock()
        self._closed_here = False
        self._code: int | None = None
        self._reason = ""
        self._ended = trio.Event()

    async def send(self, data: str) -> None:
        async with self._sending:
            await self._send(data)

    async def send_bytes(self, data: bytes) -> None:
        async with self._sending:
            await self._send(data)

    async def send_announced(self, text: bytes, data: bytes) -> None:
        async with self._sending:
            await self._send(str(text, "utf-8"), data)

    async def _send(self, *frames: str | bytes) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        self._check("send()")
        try:
            for frame in frames:
                await self._websocket.send_message(frame)
        except ConnectionClosed as closed:
            raise await self._lost("send()", closed.reason) from None
        except trio.Cancelled:
            self._note(ABNORMAL, "a send was cancelled")
            await self._abort()  # noqa: ASYNC102 - ends at once where it is cancelled
            raise

    async def receive_auto(self) -> str | bytes:
        if self._receiving:
            raise TransportBusy("receive()")
        if self._closed_here:  # else what came before the end is received
            raise self._loss("receive()")
        self._receiving = True
        try:
            data = await self._websocket.get_message()
        except ConnectionClosed as closed:
            raise await self._lost("receive()", closed.reason) from None
        finally:
            self._receiving = False
        self._last_heard = trio.current_time()
        size = len(data if isinstance(data, bytes) else data.encode())
        limit = self._settings.max_size
        if size > limit:
            await self.close(TOO_BIG, f"a message of {size} bytes, the limit is {limit}")
            raise MessageTooLarge(size, limit)
        return data

    async def ping(self) -> None:
        self._check("ping()")
        try:
            await self._websocket.ping()
        except ConnectionClosed as closed:
            raise await self._lost("ping()", closed.reason) from None
        self._last_heard = trio.current_time()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        first = not self._closed_here
        self._closed_here = self._closed_here or self.is_open()
        try:
            with trio.move_on_after(self._settings.close_timeout) as scope:
                if first:
                    await self._websocket.aclose(code, reason)
                else:  # which would return at once
                    await self._ended.wait()
            if not scope.cancelled_caught and self._websocket.closed is not None:
                self._note(int(self._websocket.closed.code), self._websocket.closed.reason)
        finally:
            self._note(ABNORMAL, "")
            await self._abort()  # noqa: ASYNC102 - ends at once where it is cancelled

    async def _abort(self) -> None:
        """Close its socket, without a word."""
        with trio.CancelScope(shield=True) as scope:  # cancelled at once: it waits for nobody
            scope.cancel()
            await self._websocket.aclose()
        with trio.CancelScope(shield=True):  # where the peer has closed, its client leaves the socket open
            await trio.aclose_forcefully(self._websocket._stream)
        self._ended.set()

    async def wait_closed(self) -> None:
        await self._ended.wait()

    def is_open(self) -> bool:
        return not self._ended.is_set() and self._websocket.closed is None

    @property
    def peer(self) -> str:
        return str(self._websocket.remote)

    @property
    def peer_names(self) -> tuple[str, ...]:
        return names_of(self._websocket._stream)

    @property
    def last_heard(self) -> float:
        return self._last_heard

    @property
    def subprotocol(self) -> str | None:
        return self._websocket.subprotocol

    @property
    def close_code(self) -> int | None:
        return self._code

    @property
    def close_reason(self) -> str:
        return self._reason

    def _check(self, call: str) -> None:
        if self._ended.is_set():
            raise self._loss(call)

    async def _lost(self, call: str, reason: CloseReason | None) -> TransportError:
        """What to raise. The exception's reason is right where `closed` may still be None (its issue 158)."""
        if reason is not None:
            self._note(int(reason.code), reason.reason)
        self._note(ABNORMAL, "")
        await self._abort()
        return self._loss(call)

    def _loss(self, call: str) -> TransportError:
        if self._closed_here or self._code is None:
            return TransportClosed(call, "disconnected")
        return ConnectionLost(self._code, self._reason)

    def _note(self, code: int, reason: str | None) -> None:
        """How it ended: what is known first counts."""
        if self._code is None:
            self._code, self._reason = code, reason or ""
