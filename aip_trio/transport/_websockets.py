"""Handshakes by the sans-I/O protocols of the library websockets."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import trio
from websockets.client import ClientProtocol
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from aip_trio.transport._asking import PlainAsking
from aip_trio.transport._codec import Codec
from aip_trio.transport._handshake import Handshake
from aip_trio.transport._opened import Opened
from aip_trio.transport._opening import Hearing, NoHandshake, NoWebSocket, Wish
from aip_trio.transport._settings import Settings
from aip_trio.transport._websockets_deflate import ClientDeflate, ServerDeflate
from aip_trio.transport._websockets_frames import WebsocketsFrames

__all__ = ["WebsocketsAsking", "WebsocketsHearing"]

#: At DEBUG the library would log every header, with the tokens in them, and every frame. Of this logger no
#: program's configuration hears.
_SILENT = logging.Logger("aip_trio.transport.websockets", logging.CRITICAL + 1)  # noqa: LOG001


class WebsocketsAsking(PlainAsking):
    """The client's side."""

    def __init__(self, wish: Wish, settings: Settings) -> None:
        self._settings = settings
        url, threshold = wish.url, settings.deflates_from
        path, _, query = url.target.partition("?")
        self._protocol = protocol = ClientProtocol(
            WebSocketURI(url.secure, url.host, url.port, path, query),
            subprotocols=[Subprotocol(name) for name in wish.subprotocols] or None,
            max_size=settings.max_size,
            extensions=None if threshold is None else [ClientDeflate(threshold)],
            logger=_SILENT,
        )
        request = protocol.connect()
        for name, value in wish.headers:
            request.headers[name.decode("ascii")] = value.decode("latin-1")
        protocol.send_request(request)
        super().__init__(url, b"".join(protocol.data_to_send()))

    def agree(self, head: bytes, rest: bytes) -> tuple[str | None, Codec]:
        protocol = self._protocol
        protocol.receive_data(head)
        protocol.events_received()
        if protocol.handshake_exc is not None:
            raise NoWebSocket(_told(protocol.handshake_exc)) from protocol.handshake_exc
        codec = WebsocketsFrames(protocol, max_size=self._settings.max_size, received=rest)
        return protocol.subprotocol, codec


class WebsocketsHearing(Hearing):
    """The server's side. What the protocol would say to a client that it refuses is not sent: we say it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._offered: Sequence[Subprotocol] = ()
        self._response: Response | None = None

        def note(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> None:
            self._offered = offered  # what is agreed on comes with `accept`

        threshold = settings.deflates_from
        self._protocol = ServerProtocol(
            select_subprotocol=note,
            max_size=settings.max_size,
            extensions=None if threshold is None else [ServerDeflate(threshold)],
            logger=_SILENT,
        )

    def hear(self, head: bytes, peer: str) -> Handshake:
        protocol = self._protocol
        protocol.receive_data(head)
        events = protocol.events_received()
        if not events:
            raise NoHandshake(400, str(protocol.handshake_exc))  # its cause may show a header, with a token
        (request,) = events
        assert isinstance(request, Request)
        response = protocol.accept(request)
        if response.status_code != 101:
            raise NoHandshake(response.status_code, str(protocol.handshake_exc))
        if len(request.headers.get_all("Host")) != 1:  # RFC 9112, section 3.2
            raise NoHandshake(400, "it takes one Host header, which was not there")
        self._response = response
        headers = [(name.lower(), value) for name, value in request.headers.raw_items()]
        return Handshake.of(request.path, headers, self._offered, peer)

    async def accept(
        self, stream: trio.abc.Stream, rest: bytes, subprotocol: str | None, nursery: trio.Nursery
    ) -> Opened:
        protocol, response = self._protocol, self._response
        assert response is not None
        if subprotocol is not None:
            response.headers["Sec-WebSocket-Protocol"] = subprotocol
        protocol.send_response(response)
        await stream.send_all(b"".join(protocol.data_to_send()))
        codec = WebsocketsFrames(protocol, max_size=self.settings.max_size, received=rest)
        return Opened(stream, subprotocol, codec)


def _told(error: BaseException) -> str:
    """What is wrong with a server's answer, with the causes."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        told.append(str(cause))
        cause = cause.__cause__
    return "; ".join(told)
