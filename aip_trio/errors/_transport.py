"""Connections that could not be made, or that ended."""

import attrs

from aip_trio.errors._base import AipError, show
from aip_trio.errors._usage import UsageError

__all__ = [
    "AdapterMissing",
    "AddressInUse",
    "CannotListen",
    "ConnectFailed",
    "ConnectionLost",
    "HandshakeRefused",
    "InvalidUrl",
    "MessageTooLarge",
    "PeerSilent",
    "PeerTooSlow",
    "TransportBusy",
    "TransportClosed",
    "TransportError",
    "UnexpectedFrame",
    "UnknownWebSocket",
]


class TransportError(AipError, ConnectionError):
    """A connection could not be made, or does not carry messages any more."""


@attrs.define(slots=False)
class TransportClosed(TransportError):
    """It was never connected, or this side has closed it."""

    call: str
    state: str

    def __str__(self) -> str:
        return f"{self.call} on a transport that is {self.state} on this side: connect() it first"


@attrs.define(slots=False)
class ConnectionLost(TransportError):
    """The peer has closed the connection, or it broke. ``code`` is RFC 6455's: 1006 without a close frame."""

    code: int
    reason: str

    def __str__(self) -> str:
        return f"connection lost, code={self.code}: {self.reason or 'the peer gave no reason'}"


@attrs.define(slots=False)
class ConnectFailed(TransportError):
    """Nobody answers at this URL, or what answers speaks no WebSocket."""

    url: str
    reason: str

    def __str__(self) -> str:
        return f"cannot connect to {self.url}: {self.reason}"


@attrs.define(slots=False)
class HandshakeRefused(TransportError):
    """The server answered, and does not want the connection: an HTTP status, and what it says about it."""

    url: str
    status: int
    body: str

    def __str__(self) -> str:
        return f"{self.url} refused the connection with status {self.status}: {show(self.body)}"


@attrs.define(slots=False)
class PeerSilent(TransportError):
    """Neither a frame nor a pong came from the peer for this long."""

    seconds: float

    def __str__(self) -> str:
        return f"the peer was silent for {self.seconds} s, and has not answered a ping"


@attrs.define(slots=False)
class PeerTooSlow(TransportError):
    """The peer took hardly any of what waited for it, so many bytes; this side has closed, with 1008."""

    queued: int
    limit: int

    def __str__(self) -> str:
        return (
            f"{self.queued} bytes waited for a peer that does not read, the limit is"
            f" queued_bytes={self.limit}: have it read faster, or raise queued_bytes"
        )


@attrs.define(slots=False)
class MessageTooLarge(TransportError):
    """The peer sent a message beyond max_size; the connection was closed with 1009. Sizes are in bytes."""

    size: int
    limit: int

    def __str__(self) -> str:
        return (
            f"the peer sent a message of {self.size} bytes or more, the limit is max_size={self.limit}:"
            " have it sent in parts, or raise max_size"
        )


@attrs.define(slots=False)
class UnexpectedFrame(TransportError):
    """A frame of the other kind, text or binary, than was asked for; the connection lives on."""

    wanted: str
    got: str

    def __str__(self) -> str:
        return f"the peer sent a {self.got} frame where a {self.wanted} frame was asked for"


@attrs.define(slots=False)
class UnknownWebSocket(UsageError, TypeError):
    """What was given as a WebSocket is of no library that there is an adapter for."""

    websocket: object

    def __str__(self) -> str:
        return (
            f"websocket={show(self.websocket)} is a {type(self.websocket).__qualname__}: give a connection of"
            " trio-websocket, Starlette or FastAPI, or a WebSocketAdapter of your own around it"
        )


@attrs.define(slots=False)
class AdapterMissing(UsageError, ImportError):
    """The library that this adapter is made of is not installed, or too old."""

    adapter: str
    extra: str
    reason: str

    def __str__(self) -> str:
        return (
            f"adapter={self.adapter} lacks its library ({self.reason}):"
            f" install it with pip install 'aip-trio[{self.extra}]'"
        )


@attrs.define(slots=False)
class InvalidUrl(UsageError, ValueError):
    """What was given is no URL that this transport can connect to."""

    url: object
    reason: str

    def __str__(self) -> str:
        return f"url={show(self.url)}: {self.reason}"


@attrs.define(slots=False)
class CannotListen(UsageError, OSError):
    """The system does not let us listen at this address. ``port`` is 0 where it has none, as a path."""

    host: str
    port: int
    reason: str

    def __str__(self) -> str:
        return f"cannot listen on {_place(self.host, self.port)}: {self.reason}"


@attrs.define(slots=False)
class AddressInUse(UsageError, OSError):
    """Somebody listens at this address already. ``port`` is 0 where addresses have none, as paths."""

    host: str
    port: int

    def __str__(self) -> str:
        other = "port, or give port 0 to have one picked" if self.port else "address"
        return (
            f"cannot listen on {_place(self.host, self.port)}, which is in use: stop what listens there,"
            f" or give another {other}"
        )


def _place(host: str, port: int) -> str:
    """An address as it is written."""
    return f"{host}:{port}" if port else host


@attrs.define(slots=False)
class TransportBusy(UsageError, RuntimeError):
    """A second task called what one task at a time may wait for."""

    call: str

    def __str__(self) -> str:
        return f"another task waits in {self.call} already: receive in one task, and hand on what came"
