"""What a handshake leads to."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import TypeAlias, cast

import attrs
import trio
from trio_websocket import WebSocketConnection

from aip_trio.transport._codec import Codec
from aip_trio.transport._first_bytes import FirstBytes
from aip_trio.transport._url import authority

__all__ = ["Hosted", "Opened", "Opening", "address_of", "names_of", "peer_of"]


@attrs.frozen
class Opened:
    """A connection whose handshake is done, and what makes frames of its bytes."""

    stream: trio.abc.Stream
    subprotocol: str | None
    codec: Codec


@attrs.frozen
class Hosted:
    """A connection whose handshake is done, and that trio-websocket runs."""

    websocket: WebSocketConnection
    stream: trio.abc.Stream
    #: set when it reads no more
    over: trio.Event


#: What a handshake leads to.
Opening: TypeAlias = "Opened | Hosted"


def peer_of(stream: trio.abc.Stream) -> str:
    """Whom a stream leads to, for the log."""
    address = address_of(stream)
    return "unknown" if address is None else authority(*address)


def address_of(stream: trio.abc.Stream) -> tuple[str, int] | None:
    """The other end's host and port; None where it has none, or has gone."""
    if isinstance(stream, trio.SSLStream):
        stream = cast("trio.SSLStream[trio.abc.Stream]", stream).transport_stream
    if not isinstance(stream, trio.SocketStream):
        return None
    try:
        host, port = stream.socket.getpeername()[:2]
    except OSError:  # gone already
        return None
    return host, port


def names_of(stream: trio.abc.Stream) -> tuple[str, ...]:
    """Whose certificate the other end has shown, by its common name and DNS names; none: it has shown none.

    A context that verifies certificates has verified it.
    """
    if isinstance(stream, FirstBytes):
        stream = stream.stream
    if not isinstance(stream, trio.SSLStream):
        return ()
    try:
        certificate = cast("ssl.SSLSocket", stream).getpeercert()
    except ValueError:  # the handshake is not done
        return ()
    return tuple(dict.fromkeys(_names(certificate or {})))


def _names(certificate: ssl._PeerCertRetDictType) -> Iterator[str]:
    for part in cast("tuple[tuple[tuple[str, str], ...], ...]", certificate.get("subject", ())):
        yield from (value for name, value in part if name == "commonName")
    for kind, value in cast("tuple[tuple[str, str], ...]", certificate.get("subjectAltName", ())):
        if kind == "DNS":
            yield value
