"""The client's side of a handshake, as far as it is the same for all libraries."""

from __future__ import annotations

from abc import abstractmethod

import trio

from aip_trio.errors import ConnectFailed
from aip_trio.transport._codec import Codec
from aip_trio.transport._head import HeadTooLong, read_head
from aip_trio.transport._opened import Opened
from aip_trio.transport._opening import Asking, NoWebSocket
from aip_trio.transport._refused import hear_refusal
from aip_trio.transport._url import WebSocketUrl

__all__ = ["PlainAsking", "hear_answer", "no_websocket"]

_ACCEPTED = b"HTTP/1.1 101"


class PlainAsking(Asking):
    """A handshake whose I/O is ours. ``request``: the bytes to send."""

    def __init__(self, url: WebSocketUrl, request: bytes) -> None:
        self._url = url
        self._request = request

    async def open(self, stream: trio.abc.Stream, nursery: trio.Nursery) -> Opened:
        await stream.send_all(self._request)
        head, rest = await hear_answer(self._url, stream)
        try:
            subprotocol, codec = self.agree(head, rest)
        except NoWebSocket as error:
            raise no_websocket(self._url, error) from error
        return Opened(stream, subprotocol, codec)

    @abstractmethod
    def agree(self, head: bytes, rest: bytes) -> tuple[str | None, Codec]:
        """The subprotocol that the server has chosen, and what reads ``rest`` and on. Raises NoWebSocket."""


async def hear_answer(url: WebSocketUrl, stream: trio.abc.ReceiveStream) -> tuple[bytes, bytes]:
    """The head of an answer that accepts, and what came behind it. A checkpoint.

    Raises HandshakeRefused, ConnectFailed, BrokenResourceError.
    """
    try:
        head, rest = await read_head(stream)
        if not head.startswith(_ACCEPTED):
            raise await hear_refusal(url, stream, head + rest)
    except (NoWebSocket, HeadTooLong) as error:
        raise no_websocket(url, error) from error
    return head, rest


def no_websocket(url: WebSocketUrl, error: BaseException) -> ConnectFailed:
    """What to raise where something answers, but speaks no WebSocket."""
    return ConnectFailed(url.text, f"what answers there speaks no WebSocket: {error}")
