"""What the two ends of a `ZeroMQTransport` say to each other, and how that is written: ``aip.zmq/1``.

A ZeroMQ message is one frame, or two: a head, whose first byte says what it is, and a body. The head of a
message of the application is one byte, or, where it is *marked*, eight more. The table is in the docs, on
the page about connections over ZeroMQ.

Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import attrs
import msgspec

from aip_trio.errors import ConnectionLost
from aip_trio.transport._codec import Closed, FrameFault, Pinged, Ponged, cut, too_large
from aip_trio.transport._codes import NO_UTF8, PROTOCOL_ERROR, may_be_sent

__all__ = [
    "VERSION",
    "Announced",
    "Data",
    "Frames",
    "Gone",
    "Hello",
    "Oversize",
    "Refused",
    "Saying",
    "Taken",
    "Welcome",
    "read",
    "write",
]

#: A ZeroMQ message as it is sent and received.
Frames: TypeAlias = Sequence[bytes]

VERSION: Final = 1

#: Bytes of a mark, and of what is there in its place; and of what a ping may carry.
_MARK: Final = 8
_MARKS: Final = (0, _MARK)
_PING: Final = 125
#: Bytes of a hello, or of an answer to one; and the least that an end may be willing to hold.
_LONGEST_HELLO: Final = 65536
_LEAST_WINDOW: Final = 4096

_TEXT, _BINARY, _ANNOUNCED = b"t", b"b", b"x"
_TAKEN, _PINGED, _PONGED, _GONE, _OVERSIZE = b"a", b"p", b"q", b"l", b"o"
_HELLO, _WELCOME, _REFUSED, _CLOSED = b"H", b"W", b"R", b"c"


@attrs.frozen
class Hello:
    """A client's first message: whom it is, what it can do, and what it takes.

    ``window``: what it holds at most, see `Outflow`. ``max_size``: bytes of a message that it takes.
    """

    version: int
    subprotocols: list[str]
    headers: list[tuple[str, str]] = attrs.field(repr=False)  # there may be secrets in them
    window: int
    max_size: int


@attrs.frozen
class Welcome:
    """The server's answer: the connection is there."""

    version: int
    subprotocol: str | None
    window: int
    max_size: int


@attrs.frozen
class Refused:
    """The server's other answer: an HTTP status, and a text for people."""

    status: int
    reason: str


@attrs.define
class Data:
    """A message of the application. ``mark``: to be sent back once it was taken; empty: it is not marked."""

    data: bytes
    text: bool
    mark: bytes


@attrs.define
class Announced:
    """A text and the binary message that it announces, which are two messages to the application."""

    announcement: bytes
    data: bytes
    mark: bytes


@attrs.frozen
class Taken:
    """The marked message, and all before it, have been taken."""

    mark: bytes


@attrs.frozen
class Oversize:
    """The application has a message of so many bytes, which the other end does not take: it stays unsent."""

    size: int


@attrs.frozen
class Gone:
    """This end has given the connection up; there is no answer to that."""


Opening: TypeAlias = "Hello | Welcome | Refused"
Saying: TypeAlias = "Data | Announced | Taken | Pinged | Ponged | Closed | Gone | Oversize | Opening"

_ANSWERS: dict[bytes, type[Hello | Welcome | Refused]] = {
    _HELLO: Hello,
    _WELCOME: Welcome,
    _REFUSED: Refused,
}


def write(saying: Saying) -> list[bytes]:
    """A saying as it is sent. A reason that is too long is cut."""
    match saying:
        case Data(data, text, mark):
            return [(_TEXT if text else _BINARY) + mark, data]
        case Announced(announcement, data, mark):
            return [_ANNOUNCED + mark, announcement, data]
        case Taken(mark):
            return [_TAKEN + mark]
        case Pinged(payload):
            return [_PINGED + payload]
        case Ponged(payload):
            return [_PONGED + payload]
        case Closed(code, reason):
            return [_CLOSED + code.to_bytes(2), cut(reason).encode()]
        case Gone():
            return [_GONE]
        case Oversize(size):
            return [_OVERSIZE + size.to_bytes(8)]
        case Hello():
            return [_HELLO, msgspec.json.encode(saying)]
        case Welcome():
            return [_WELCOME, msgspec.json.encode(saying)]
        case Refused():
            return [_REFUSED, msgspec.json.encode(saying)]


def read(frames: Frames, max_size: int) -> Saying:
    """What the other end said. Raises FrameFault where it means nothing, or is a message beyond the size."""
    head = frames[0]
    kind, rest = head[:1], head[1:]
    if kind in (_TEXT, _BINARY):
        if len(frames) != 2 or len(rest) not in _MARKS:
            raise _fault(f"a message of {len(frames)} frames, with a mark of {len(rest)} bytes")
        text = kind == _TEXT
        return Data(_checked(frames[1], max_size, text=text), text, rest)
    if kind == _ANNOUNCED and len(frames) == 3 and len(rest) in _MARKS:
        announcement, data = frames[1:]
        announcement = _checked(announcement, max_size, text=True)
        return Announced(announcement, _checked(data, max_size, text=False), rest)
    if kind == _TAKEN and len(frames) == 1 and len(rest) == _MARK:
        return Taken(rest)
    if kind == _PINGED and len(frames) == 1 and len(rest) <= _PING:
        return Pinged(rest)
    if kind == _PONGED and len(frames) == 1 and len(rest) <= _PING:
        return Ponged(rest)
    if kind == _CLOSED and len(frames) == 2 and len(rest) == 2:
        return _closed(int.from_bytes(rest), frames[1])
    if kind == _OVERSIZE and len(frames) == 1 and len(rest) == 8:
        raise too_large(int.from_bytes(rest), max_size)
    if head == _GONE and len(frames) == 1:
        return Gone()
    if head in _ANSWERS and len(frames) == 2:
        return _opening(_ANSWERS[head], frames[1])
    raise _fault(f"a message of {len(frames)} frames that begins with {head[:20]!r}")


def _checked(data: bytes, max_size: int, *, text: bool) -> bytes:
    if len(data) > max_size:
        raise too_large(len(data), max_size)
    if text:
        try:
            str(data, "utf-8")
        except UnicodeDecodeError as error:
            raise _fault(f"a text that is no UTF-8: {error.reason}", NO_UTF8) from error
    return data


def _closed(code: int, reason: bytes) -> Closed:
    if not may_be_sent(code) or len(reason) > _PING:
        raise _fault(f"a close with code {code} and a reason of {len(reason)} bytes")
    return Closed(code, reason.decode(errors="replace"))


def _opening(cls: type[Hello | Welcome | Refused], body: bytes) -> Hello | Welcome | Refused:
    if len(body) > _LONGEST_HELLO:
        raise _fault(f"a {cls.__name__} of {len(body)} bytes")
    try:
        opening = msgspec.json.decode(body, type=cls)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _fault(f"a {cls.__name__} that cannot be read: {str(error)[:200]}") from error
    if isinstance(opening, Refused):
        if not 400 <= opening.status <= 599:
            raise _fault(f"a refusal with status {opening.status}")
    elif opening.version != VERSION:
        raise _fault(f"version {opening.version}, and this is version {VERSION}")
    elif opening.window < _LEAST_WINDOW or opening.max_size < 1:
        raise _fault(f"a window of {opening.window} bytes, and messages of {opening.max_size}")
    return opening


def _fault(reason: str, code: int = PROTOCOL_ERROR) -> FrameFault:
    return FrameFault(code, reason, ConnectionLost(code, f"the peer broke the protocol: {reason}"))
