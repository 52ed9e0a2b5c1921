"""The client's side of the handshake."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, RejectConnection, RejectData, Request
from wsproto.utilities import RemoteProtocolError

from aip_trio.actors import current_environment
from aip_trio.errors import ConnectFailed, HandshakeRefused, TransportError
from aip_trio.transport._head import HeadTooLong, read_head
from aip_trio.transport._opened import Opened
from aip_trio.transport._url import WebSocketUrl
from aip_trio.transport._words import check_headers, check_subprotocols

__all__ = ["ask", "open_websocket"]

_CHUNK = 65536
#: Bytes of a refusal's body that are read: it goes into an error's text.
_LONGEST_BODY = 4096


def ask(
    url: WebSocketUrl, headers: Sequence[tuple[str, str]], subprotocols: Sequence[str]
) -> tuple[WSConnection, bytes]:
    """The request for a WebSocket, and what takes its answer. Raises InvalidSpec."""
    request = Request(
        url.host_header,
        url.target,
        extra_headers=check_headers(headers),
        subprotocols=check_subprotocols(subprotocols),
    )
    websocket = WSConnection(ConnectionType.CLIENT)
    return websocket, websocket.send(request)


async def open_websocket(
    url: WebSocketUrl, ssl_context: ssl.SSLContext | None, websocket: WSConnection, request: bytes
) -> Opened:
    """Connect, by TCP, TLS and HTTP. A checkpoint; raises ConnectFailed, HandshakeRefused."""
    try:
        stream = await _open_stream(url, ssl_context)
        try:
            await stream.send_all(request)
            return await _answer(url, stream, websocket)
        except BaseException:
            with trio.CancelScope(shield=True):  # closing forcefully waits for nobody
                await trio.aclose_forcefully(stream)
            raise
    except TransportError:
        raise
    except (OSError, trio.BrokenResourceError) as error:
        raise ConnectFailed(url.text, _told(error)) from error


async def _open_stream(url: WebSocketUrl, ssl_context: ssl.SSLContext | None) -> trio.abc.Stream:
    stream = await current_environment().open_tcp_stream(url.host, url.port)
    if not url.secure:
        return stream
    context = ssl_context if ssl_context is not None else ssl.create_default_context()
    secured = trio.SSLStream(stream, context, server_hostname=url.host, https_compatible=True)
    try:
        await secured.do_handshake()
    except BaseException:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)
        raise
    return secured


async def _answer(url: WebSocketUrl, stream: trio.abc.Stream, websocket: WSConnection) -> Opened:
    try:
        head, rest = await read_head(stream)
        websocket.receive_data(head)
        answer, *parts = websocket.events()
        if isinstance(answer, RejectConnection):
            body = await _body(stream, websocket, parts, rest) if answer.has_body else b""
            raise HandshakeRefused(url.text, answer.status_code, body.decode(errors="replace"))
    # ValueError: wsproto leaves some of what it reads unchecked.
    except (RemoteProtocolError, HeadTooLong, ValueError) as error:
        raise ConnectFailed(url.text, f"what answers there speaks no WebSocket: {error}") from error
    assert isinstance(answer, AcceptConnection)
    return Opened(stream, answer.subprotocol, client=True, received=rest)


async def _body(stream: trio.abc.Stream, websocket: WSConnection, parts: list[Event], data: bytes) -> bytes:
    """What a refusal says, as much of it as comes."""
    body = b""
    with suppress(trio.BrokenResourceError, RemoteProtocolError):  # cut off: what there is says enough
        while True:
            for part in parts:
                assert isinstance(part, RejectData)
                body += part.data
                if part.body_finished or len(body) > _LONGEST_BODY:
                    return body[:_LONGEST_BODY]
            data = data or bytes(await stream.receive_some(_CHUNK))
            websocket.receive_data(data)  # no bytes: the end of the stream, and perhaps of the body
            parts = list(websocket.events())
            if not data and not parts:
                break
            data = b""
    return body  # noqa: ASYNC910 - not called from outside


def _told(error: BaseException) -> str:
    """What went wrong, in one line: the innermost cause knows best."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):  # one for each address that was tried
        return _told(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return " ".join(str(error).split()) or type(error).__qualname__
