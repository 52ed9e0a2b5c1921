"""What a monitor tells of a socket's connections."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence

import attrs
import zmq

__all__ = [
    "Closed",
    "Connected",
    "Connecting",
    "Disconnected",
    "EventsLost",
    "HandshakeFailed",
    "HandshakeSucceeded",
    "Listening",
    "MonitorEvent",
    "SocketEvent",
    "read_event",
]


@attrs.frozen
class SocketEvent:
    """Something has happened to a connection, or to an address that is listened at."""

    #: the address: where it connects to, or where it listens
    url: str


@attrs.frozen
class Listening(SocketEvent):
    """The socket listens there."""


@attrs.frozen
class Connecting(SocketEvent):
    """The socket tries to connect there, again after ``delay`` seconds; 0.0: at once."""

    delay: float


@attrs.frozen
class Connected(SocketEvent):
    """There is a connection. What ZeroMQ has to say on it comes next: `HandshakeSucceeded` or its failure."""

    #: a number that no other open connection of this process has; the same in `Disconnected` and `Peer`
    connection: int
    #: the other side's host and port; "" where it has none (ipc), or has gone already
    peer: str


@attrs.frozen
class HandshakeSucceeded(SocketEvent):
    """A connection carries messages from now on. libzmq does not say which, where several are new."""


@attrs.frozen
class HandshakeFailed(SocketEvent):
    """The other side is no ZeroMQ, has the wrong key, or was refused. The connection ends.

    A side that connects tries again, unless the other's answer was final.
    """

    reason: str


@attrs.frozen
class Disconnected(SocketEvent):
    """A connection has ended: by the other side, by silence, or because it broke."""

    connection: int


@attrs.frozen
class Closed(SocketEvent):
    """The socket listens there no more, or has given up a connection that was never made."""


@attrs.frozen
class EventsLost:
    """So many events were left out here, because nobody took them in time."""

    count: int


#: What a monitor gives.
MonitorEvent = SocketEvent | EventsLost

_HEAD = struct.Struct("=Hi")

_REASONS = {
    zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: "it has a wrong CURVE key",
    zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: "one side uses CURVE, and the other does not",
}
_STATUS = {300: "the authentication failed for now", 400: "the key is not one of those let in"}


def read_event(frames: Sequence[bytes]) -> SocketEvent | None:
    """What a monitor of libzmq sent. None: nothing of interest. Pure, but for the name of a new peer."""
    event, value = _HEAD.unpack(frames[0])
    url = frames[1].decode(errors="replace")
    match event:
        case zmq.Event.LISTENING:
            return Listening(url)
        case zmq.Event.CONNECT_DELAYED:
            return Connecting(url, 0.0)
        case zmq.Event.CONNECT_RETRIED:
            return Connecting(url, value / 1000)
        case zmq.Event.CONNECTED | zmq.Event.ACCEPTED:
            return Connected(url, value, _peer_of(value))
        case zmq.Event.HANDSHAKE_SUCCEEDED:
            return HandshakeSucceeded(url)
        case zmq.Event.HANDSHAKE_FAILED_AUTH:
            return HandshakeFailed(url, _STATUS.get(value, f"refused with status {value}"))
        case zmq.Event.HANDSHAKE_FAILED_PROTOCOL:
            return HandshakeFailed(
                url, _REASONS.get(value, f"it does not speak ZeroMQ's protocol ({value:#x})")
            )
        case zmq.Event.HANDSHAKE_FAILED_NO_DETAIL:
            return HandshakeFailed(url, _broken_off(value))
        case zmq.Event.DISCONNECTED:
            return Disconnected(url, value)
        case zmq.Event.CLOSED:
            return Closed(url)
        case _:
            return None


def _broken_off(code: int) -> str:
    # All that one is told who took a wrong key for the server's.
    return f"the other side ended the connection ({os.strerror(code)}): has the server another CURVE key?"


def _peer_of(connection: int) -> str:
    # The descriptor is libzmq's, and may be closed by now, or something else: a copy is asked, and closed.
    try:
        copy = os.dup(connection)
    except OSError:
        return ""
    try:
        with socket.socket(fileno=copy) as asked:
            copy = -1
            name = asked.getpeername()
    except OSError:
        return ""
    finally:
        if copy >= 0:
            os.close(copy)
    match name:
        case (str(host), int(port)):
            return f"{host}:{port}"
        case (str(host), int(port), _, _):
            return f"[{host}]:{port}"
        case _:
            return ""
