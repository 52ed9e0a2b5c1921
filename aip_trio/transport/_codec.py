"""What stands between the bytes of a connection and its frames (RFC 6455, section 5), without I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeAlias

import attrs

from aip_trio.errors import ConnectionLost, MessageTooLarge, TransportError
from aip_trio.transport._codes import NO_UTF8, TOO_BIG

__all__ = [
    "Closed",
    "Codec",
    "Frame",
    "FrameFault",
    "Message",
    "Pinged",
    "Ponged",
    "as_message",
    "cut",
    "too_large",
]

#: Bytes of a control frame, at most.
_SHORT = 125

#: A message, and whether it came as text.
Message: TypeAlias = "tuple[bytes, bool]"


@attrs.frozen
class Pinged:
    """A ping to be answered."""

    payload: bytes


@attrs.frozen
class Ponged:
    """The answer to the ping of this payload."""

    payload: bytes


@attrs.frozen
class Closed:
    """The peer's close frame; code 1005 stands for none given."""

    code: int
    reason: str


Frame: TypeAlias = "Message | Pinged | Ponged | Closed"


class FrameFault(Exception):
    """The peer broke the protocol: the close code to say so with, and what to raise on this side."""

    def __init__(self, code: int, reason: str, error: TransportError | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.error = error or ConnectionLost(code, f"the peer broke the WebSocket protocol: {reason}")


class Codec(ABC):
    """The frames of one connection, both ways, after its handshake."""

    __slots__ = ()

    # In

    @property
    @abstractmethod
    def missing(self) -> int:
        """About how many bytes of a frame that has come in part are still to come."""

    @property
    @abstractmethod
    def empty(self) -> bool:
        """Whether nothing of what was fed is left, so that `next` has nothing."""

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Take what came; only when `next` has nothing more."""

    @abstractmethod
    def next(self) -> Frame | None:
        """The next frame of what was fed, or None: feed more. Raises FrameFault; nothing comes after it."""

    # Out

    @abstractmethod
    def text(self, data: bytes) -> bytes:
        """A message, which is UTF-8, as a text frame."""

    @abstractmethod
    def binary(self, data: bytes) -> bytes:
        """A message as a binary frame."""

    @abstractmethod
    def ping(self, payload: bytes) -> bytes:
        """A ping of at most 125 bytes."""

    @abstractmethod
    def pong(self, payload: bytes) -> bytes:
        """The answer to a ping."""

    @abstractmethod
    def close(self, code: int, reason: str) -> bytes:
        """A close frame, after which nothing may be sent; a long reason is cut. 1005: one without a code."""


def as_message(data: bytes, text: bool) -> Message:
    """A message that is complete. Raises FrameFault for a text that is no UTF-8."""
    if text:
        try:
            str(data, "utf-8")
        except UnicodeDecodeError as error:
            raise FrameFault(NO_UTF8, f"a text that is no UTF-8: {error.reason}") from error
    return data, text


def too_large(size: int, limit: int) -> FrameFault:
    """A message of this many bytes or more."""
    reason = f"a message of {size} bytes or more, the limit is {limit}"
    return FrameFault(TOO_BIG, reason, MessageTooLarge(size, limit))


def cut(reason: str) -> str:
    """As much of a reason as fits into a close frame, without half a character."""
    return reason.encode()[: _SHORT - 2].decode(errors="ignore")
