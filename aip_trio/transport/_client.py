"""The client's side of the handshake."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import h11
import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, RejectConnection, RejectData, Request
from wsproto.utilities import RemoteProtocolError

from aip_trio.actors import current_environment
from aip_trio.errors import ConnectFailed, HandshakeRefused, InvalidSpec, TransportError
from aip_trio.transport._head import HeadTooLong, read_head
from aip_trio.transport._opened import Opened
from aip_trio.transport._url import WebSocketUrl

__all__ = ["open_websocket"]

_CHUNK = 65536
#: Bytes of a refusal's body that are read: it goes into an error's text.
_LONGEST_BODY = 4096


async def open_websocket(
    url: WebSocketUrl,
    *,
    ssl_context: ssl.SSLContext | None,
    headers: Sequence[tuple[str, str]],
    subprotocols: Sequence[str],
) -> Opened:
    """Connect, by TCP, TLS and HTTP. A checkpoint; raises ConnectFailed, HandshakeRefused, InvalidSpec."""
    request = _request(url, headers, subprotocols)
    try:
        stream = await _open_stream(url, ssl_context)
        try:
            return await _shake_hands(url, stream, request)
        except BaseException:
            with trio.CancelScope(shield=True):  # closing forcefully waits for nobody
                await trio.aclose_forcefully(stream)
            raise
    except TransportError:
        raise
    except (OSError, trio.BrokenResourceError) as error:
        raise ConnectFailed(url.text, _told(error)) from error


def _request(url: WebSocketUrl, headers: Sequence[tuple[str, str]], subprotocols: Sequence[str]) -> Request:
    extra: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        try:
            extra.append((name.encode("ascii"), value.encode("latin-1")))
        except UnicodeEncodeError:
            raise InvalidSpec("headers", name, "give names in ASCII and values in Latin-1") from None
    return Request(url.host_header, url.target, extra_headers=extra, subprotocols=list(subprotocols))


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


async def _shake_hands(url: WebSocketUrl, stream: trio.abc.Stream, request: Request) -> Opened:
    websocket = WSConnection(ConnectionType.CLIENT)
    try:
        asked = websocket.send(request)
    except (h11.LocalProtocolError, UnicodeError) as error:
        raise InvalidSpec("headers", url.text, f"{error}: give names and values of HTTP") from error
    await stream.send_all(asked)
    try:
        head, rest = await read_head(stream)
        websocket.receive_data(head)
        answer, *parts = websocket.events()
        if isinstance(answer, RejectConnection):
            body = await _body(stream, websocket, parts, rest) if answer.has_body else b""
            raise HandshakeRefused(url.text, answer.status_code, body.decode(errors="replace"))
    except (
        RemoteProtocolError,
        HeadTooLong,
        ValueError,
    ) as error:  # ValueError: wsproto checks not everything
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
            # No bytes are the end of the stream, which may be that of the body: h11 knows.
            websocket.receive_data(data or bytes(await stream.receive_some(_CHUNK)))
            data = b""
            parts = list(websocket.events())
    return body  # noqa: ASYNC910 - not called from outside


def _told(error: BaseException) -> str:
    """What went wrong, in one line: the innermost cause knows best."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):  # one for each address that was tried
        return _told(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return " ".join(str(error).split()) or type(error).__qualname__
