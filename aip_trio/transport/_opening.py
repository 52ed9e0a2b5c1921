"""The handshake of a WebSocket, as a library does it: what differs between them, and nothing else.

The rest is the same for all: who connects and how long that may take (`_client`), the head of the request
that is read and no more, and whom a server lets in (`_greeting`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import attrs
import trio

from aip_trio.transport._handshake import Handshake, Refusal
from aip_trio.transport._opened import Opening
from aip_trio.transport._settings import Settings
from aip_trio.transport._url import WebSocketUrl

__all__ = ["Asking", "Hearing", "NoHandshake", "NoWebSocket", "Wish"]


@attrs.frozen
class Wish:
    """What a client asks for."""

    url: WebSocketUrl
    headers: Sequence[tuple[bytes, bytes]] = attrs.field(repr=False)  # there may be secrets in them
    subprotocols: Sequence[str]


class NoWebSocket(Exception):
    """What the server answered accepts no WebSocket. The text says what is wrong with it."""


class NoHandshake(Exception):
    """What the client said asks for no WebSocket; how to refuse it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(status, f"this is a WebSocket server: {reason}", "request")


class Asking(ABC):
    """A client's side, made ready before anything is connected."""

    @abstractmethod
    async def open(self, stream: trio.abc.Stream, nursery: trio.Nursery) -> Opening:
        """The handshake, on a stream that leads to the server. A checkpoint.

        Raises HandshakeRefused, ConnectFailed, BrokenResourceError.
        """


class Hearing(ABC):
    """A server's side. ``settings``: of the connection that it may become."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def hear(self, head: bytes, peer: str) -> Handshake:
        """The client's request. Raises NoHandshake."""

    @abstractmethod
    async def accept(
        self, stream: trio.abc.Stream, rest: bytes, subprotocol: str | None, nursery: trio.Nursery
    ) -> Opening:
        """Let the client in; ``rest`` is what came behind its request. A checkpoint.

        Raises BrokenResourceError.
        """
