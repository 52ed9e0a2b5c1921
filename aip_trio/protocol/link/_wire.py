"""Frames to bytes and back, in both formats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NoReturn

import msgspec

from aip_trio.errors import DecodeError, InvalidMessage, LinkFault
from aip_trio.messages import Format
from aip_trio.protocol.link._frames import BatchFrame, Frame
from aip_trio.protocol.link._replay import BATCH_MESSAGES

__all__ = ["SUBPROTOCOLS", "Wire", "wire_of"]

#: What a WebSocket can agree on, the preferred one first.
SUBPROTOCOLS = ("aip.v2+json", "aip.v2+msgpack", "aip.v1")

_LONGEST_FAULT = 200
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Wire(ABC):
    """How a link's frames are written. Messages are carried as they are: nothing here reads them."""

    format: Format

    @abstractmethod
    def frame(self, frame: Frame) -> bytes:
        """A frame other than a batch."""

    @abstractmethod
    def batch(self, seq: int, ack: int, messages: list[bytes]) -> bytes:
        """A frame with messages."""

    @abstractmethod
    def read(self, data: bytes) -> Frame:
        """What a frame says. Raises DecodeError, LinkFault."""

    def fit(self, data: bytes) -> bytes:
        """A message as it can be carried. Raises InvalidMessage."""
        return data


class _MsgpackWire(Wire):
    """A frame is a MessagePack map, and each message in it a `bin`."""

    format = Format.MSGPACK

    def __init__(self) -> None:
        self._encode: Callable[[Frame], bytes] = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder[Frame](Frame).decode

    def frame(self, frame: Frame) -> bytes:
        return self._encode(frame)

    def batch(self, seq: int, ack: int, messages: list[bytes]) -> bytes:
        return self._encode(BatchFrame(seq, ack, messages))

    def read(self, data: bytes) -> Frame:
        try:
            frame: Frame = self._decode(data)
        except _UNREADABLE as error:
            _refuse(error)
        if type(frame) is BatchFrame and not frame.messages:
            raise LinkFault("m", "holds no message")
        return frame


class _JsonWire(Wire):
    """A frame is a JSON object in one line; of a batch, each message is a line of its own after that.

    So what is in a message, however wide or deep it nests, is nobody's business on the way.
    """

    format = Format.JSON

    def __init__(self) -> None:
        self._encode: Callable[[Frame], bytes] = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder[Frame](Frame).decode
        self._check = msgspec.json.Decoder(msgspec.Raw).decode

    def frame(self, frame: Frame) -> bytes:
        return self._encode(frame)

    def batch(self, seq: int, ack: int, messages: list[bytes]) -> bytes:
        head = b'{"t":"b","s":%d,"a":%d}' % (seq, ack)
        return b"\n".join((head, *messages))

    def read(self, data: bytes) -> Frame:
        if data.count(b"\n") > BATCH_MESSAGES:
            raise LinkFault("m", f"holds more than {BATCH_MESSAGES} messages")
        messages = data.split(b"\n")
        try:
            frame: Frame = self._decode(messages.pop(0))
        except _UNREADABLE as error:
            _refuse(error)
        if type(frame) is BatchFrame:
            if not messages:
                raise LinkFault("m", "holds no message")
            frame.messages = messages
        elif messages:
            raise LinkFault("t", f"is {type(frame).__name__}, and lines follow it")
        return frame

    def fit(self, data: bytes) -> bytes:
        """In JSON a line break means nothing but a blank; it is no part of a string."""
        if b"\n" not in data:
            return data
        try:
            self._check(data)
        except _UNREADABLE as error:
            reason = f"is no JSON, and has line breaks: encode it as JSON ({error})"
            raise InvalidMessage(data, reason) from error
        return data.replace(b"\n", b" ")


def _refuse(error: Exception) -> NoReturn:
    what, _, path = str(error).rpartition(" - at ")
    what = what or str(error)
    path = path.strip("`") if what != str(error) else "$"
    raise DecodeError("link frame", (f"{what[:_LONGEST_FAULT]} @ {path[:_LONGEST_FAULT]}",)) from error


_WIRES: dict[str | None, Wire] = {"aip.v2+json": _JsonWire(), "aip.v2+msgpack": _MsgpackWire()}


def wire_of(subprotocol: str | None) -> Wire | None:
    """How frames are written where a connection agreed on this; None: it has no links."""
    return _WIRES.get(subprotocol)
