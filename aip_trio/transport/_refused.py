"""A server's refusal, which is plain HTTP whatever library speaks WebSocket."""

from __future__ import annotations

from contextlib import suppress

import h11
import trio

from aip_trio.errors import HandshakeRefused
from aip_trio.transport._opening import NoWebSocket
from aip_trio.transport._url import WebSocketUrl

__all__ = ["hear_refusal"]

_CHUNK = 65536
#: Bytes of its body that are read: they go into an error's text.
_LONGEST = 4096


async def hear_refusal(url: WebSocketUrl, stream: trio.abc.ReceiveStream, data: bytes) -> HandshakeRefused:
    """What to raise for an answer that begins with this. A checkpoint; raises NoWebSocket."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="GET", target=url.target, headers=[("Host", url.host_header)]))
    http.send(h11.EndOfMessage())
    try:
        http.receive_data(data)
        answer = http.next_event()
    except h11.RemoteProtocolError as error:
        raise NoWebSocket(str(error)) from error
    if isinstance(answer, h11.InformationalResponse):
        return HandshakeRefused(url.text, answer.status_code, "")  # noqa: ASYNC910 - not called from outside
    if not isinstance(answer, h11.Response):
        raise NoWebSocket("it closes the connection")
    body = await _body(http, stream)
    return HandshakeRefused(url.text, answer.status_code, body.decode(errors="replace"))


async def _body(http: h11.Connection, stream: trio.abc.ReceiveStream) -> bytes:
    """As much of it as comes."""
    body = b""
    with suppress(trio.BrokenResourceError, h11.RemoteProtocolError):  # cut off: what there is says enough
        while len(body) < _LONGEST:
            event = http.next_event()
            if isinstance(event, h11.Data):
                body += event.data
            elif event is h11.NEED_DATA:
                http.receive_data(bytes(await stream.receive_some(_CHUNK)))  # nothing: the end of the stream
            else:
                break
    return body[:_LONGEST]  # noqa: ASYNC910 - not called from outside
