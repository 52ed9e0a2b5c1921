"""The adapter of a WebSocket that a web framework holds, without tasks of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from aip_trio.errors import (
    ConnectionLost,
    InvalidSpec,
    MessageTooLarge,
    TransportBusy,
    TransportClosed,
    TransportError,
)
from aip_trio.transport._adapter import WebSocketAdapter
from aip_trio.transport._asgi_socket import AsgiSocket
from aip_trio.transport._codes import ABNORMAL, TOO_BIG
from aip_trio.transport._settings import Settings

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

__all__ = ["AsgiAdapter"]


class AsgiAdapter(WebSocketAdapter):
    """A Starlette or FastAPI WebSocket that has been accepted. Its route's task owns it.

    It does what ASGI does, and no more: the end is noticed by who receives; a send that has begun cannot be
    cancelled where the server, as hypercorn, does not let it, and what is cancelled nevertheless ends the
    connection; nobody keeps it alive. `serve_asgi_websocket` gives a connection all of that.
    """

    def __init__(self, websocket: WebSocket, settings: Settings) -> None:
        if websocket.application_state.name == "CONNECTING":
            raise InvalidSpec("websocket", websocket, "is not accepted yet: `await websocket.accept()` first")
        self._socket = AsgiSocket(websocket)
        self._settings = settings
        self._sending = trio.StrictFIFOLock()
        self._waiting: trio.CancelScope | None = None
        self._closed_here = False
        self._code: int | None = None
        self._reason = ""
        self._ended = trio.Event()

    async def send(self, data: str) -> None:
        await self._send(data)

    async def send_bytes(self, data: bytes) -> None:
        await self._send(data)

    async def send_announced(self, text: bytes, data: bytes) -> None:
        await self._send(str(text, "utf-8"), data)

    async def _send(self, *frames: str | bytes) -> None:  # noqa: ASYNC910 - the lock is one
        async with self._sending:
            self._check("send()")
            try:
                for frame in frames:
                    await self._socket.send(frame)
            except ConnectionLost as lost:
                raise self._lost("send()", lost) from lost.__cause__
            except trio.Cancelled:
                self._end(ABNORMAL, "a send was cancelled")
                raise

    async def receive_auto(self) -> str | bytes:
        if self._waiting is not None:
            raise TransportBusy("receive()")
        self._check("receive()")
        data: str | bytes | None = None
        try:
            with trio.CancelScope() as self._waiting:
                data = await self._socket.receive()
        except ConnectionLost as lost:
            raise self._lost("receive()", lost) from lost.__cause__
        finally:
            self._waiting = None
        if data is None or self._closed_here:
            raise TransportClosed("receive()", "disconnected")
        size, limit = len(data if isinstance(data, bytes) else data.encode()), self._settings.max_size
        if size > limit:
            await self.close(TOO_BIG, f"a message of {size} bytes, the limit is {limit}")
            raise MessageTooLarge(size, limit)
        return data

    async def ping(self) -> None:
        self._check("ping()")
        await self._socket.ping()

    async def close(self, code: int = 1000, reason: str = "") -> None:  # noqa: ASYNC910 - the lock is one
        if not self.is_open():
            await trio.lowlevel.checkpoint()
            return
        self._closed_here = True
        if self._waiting is not None:
            self._waiting.cancel()
        try:
            with trio.move_on_after(self._settings.close_timeout):
                async with self._sending:
                    await self._socket.close(code, reason)
                self._code, self._reason = code, reason
                while True:  # what still comes is dropped, to the peer's own close frame
                    await self._socket.receive()
        except ConnectionLost as lost:
            self._end(lost.code, lost.reason)
        finally:
            self._end(ABNORMAL, "")

    async def wait_closed(self) -> None:
        await self._ended.wait()

    def is_open(self) -> bool:
        return not self._closed_here and not self._ended.is_set()

    @property
    def peer(self) -> str:
        return self._socket.peer

    @property
    def last_heard(self) -> float:
        return self._socket.last_heard

    @property
    def subprotocol(self) -> str | None:
        return self._socket.subprotocol

    @property
    def close_code(self) -> int | None:
        return self._code

    @property
    def close_reason(self) -> str:
        return self._reason

    def _check(self, call: str) -> None:
        if not self.is_open():
            raise self._loss(call)

    def _lost(self, call: str, lost: ConnectionLost) -> TransportError:
        self._end(lost.code, lost.reason)
        return self._loss(call)

    def _loss(self, call: str) -> TransportError:
        if self._closed_here or self._code is None:
            return TransportClosed(call, "disconnected")
        return ConnectionLost(self._code, self._reason)

    def _end(self, code: int, reason: str) -> None:
        """It is over: what is known first counts. Whatever the server still holds of it is cut off."""
        if self._code is None:
            self._code, self._reason = code, reason
        if not self._ended.is_set():
            self._ended.set()
            self._socket.cut()
