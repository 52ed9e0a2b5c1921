"""What a handshake leads to."""

from __future__ import annotations

from typing import cast

import attrs
import trio

from aip_trio.transport._url import authority

__all__ = ["Opened", "peer_of"]


@attrs.frozen
class Opened:
    """A connection whose handshake is done."""

    stream: trio.abc.Stream
    subprotocol: str | None
    client: bool
    #: what came behind it
    received: bytes


def peer_of(stream: trio.abc.Stream) -> str:
    """Whom a stream leads to, for the log."""
    if isinstance(stream, trio.SSLStream):
        stream = cast("trio.SSLStream[trio.abc.Stream]", stream).transport_stream
    if not isinstance(stream, trio.SocketStream):
        return "unknown"
    try:
        host, port = stream.socket.getpeername()[:2]
    except OSError:  # gone already
        return "unknown"
    return authority(host, port)
