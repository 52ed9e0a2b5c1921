"""Bytes to frames and back (RFC 6455, section 5), without I/O.

wsproto does the same, and is what the tests compare this with. Here a frame costs a third of the time, sizes
are in bytes, and a message that is too large is refused by its header, before it has come.
"""

from __future__ import annotations

import os
import struct

from aip_trio.transport._codec import (
    Closed,
    Codec,
    Frame,
    FrameFault,
    Message,
    Pinged,
    Ponged,
    as_message,
    cut,
    too_large,
)
from aip_trio.transport._codes import NO_CODE, NO_UTF8, PROTOCOL_ERROR, may_be_sent
from aip_trio.transport._deflate import Deflation, Inflation, NotDeflated, TooMuch

__all__ = ["Frames"]

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_CONTROL = 0x8  # and above
_FIN = _MASK = 0x80
_COMPRESSED = 0x40  # where compression was agreed on
_RESERVED = 0x70
_SHORT, _MEDIUM = 125, 65535  # lengths that fit into the second byte, and into two more
_TWO_BYTES, _EIGHT_BYTES = 126, 127

_write_medium = struct.Struct("!BBH").pack
_write_long = struct.Struct("!BBQ").pack

#: All bytes xor a byte, for each byte.
_XOR = tuple(bytes(byte ^ key for byte in range(256)) for key in range(256))


class Frames(Codec):
    """Frames of our own making. ``client``: on the side that masks what it sends.

    ``max_size``: bytes of a message that comes, decompressed. ``deflation``: where that was agreed on.
    """

    __slots__ = (
        "_client",
        "_data",
        "_deflation",
        "_fin",
        "_inflation",
        "_key",
        "_max_size",
        "_missing",
        "_part",
        "_position",
        "_reserved",
        "_text",
    )

    def __init__(
        self, *, client: bool, max_size: int, received: bytes = b"", deflation: Deflation | None = None
    ) -> None:
        self._client = client
        self._max_size = max_size
        self._deflation = deflation
        self._reserved = _RESERVED if deflation is None else _RESERVED & ~_COMPRESSED
        self._data = received
        self._position: int = 0
        # The message that comes in parts: what there is of it, and whether it is text; None: there is none.
        self._part = bytearray()
        self._text: bool | None = None
        self._inflation: Inflation | None = None  # of that message, where it is compressed
        # The frame that comes in parts: how much of its payload is missing, its mask, whether it is the last.
        self._missing: int = 0
        self._key = b""
        self._fin = False

    # In

    @property
    def missing(self) -> int:
        return self._missing

    @property
    def empty(self) -> bool:
        return not self._data

    def feed(self, data: bytes) -> None:
        self._data = self._data[self._position :] + data
        self._position = 0

    def next(self) -> Frame | None:
        while True:
            if self._missing:
                self._take()
                if self._missing:
                    return None
                if self._fin:
                    return self._joined()
            header = _header(self._data, self._position, masked=not self._client, reserved=self._reserved)
            if header is None:
                self.feed(b"")  # what has been taken is let go of, before a wait that may be long
                return None
            first, length, key, start = header
            end = start + length
            if first & 0x0F >= _CONTROL:
                if end > len(self._data):
                    return None
                self._position = end
                return _control(first & 0x0F, _masked(self._data[start:end], key))
            text = self._data_frame(first, length)
            fin = bool(first & _FIN)
            if fin and not self._part and self._inflation is None and end <= len(self._data):  # as most are
                payload = self._data[start:end]
                self._position = end
                if end == len(self._data):  # it came alone, and nothing of it is kept
                    self.feed(b"")
                self._text = None
                return as_message(_masked(payload, key), text)
            self._position, self._missing, self._key, self._fin = start, length, key, fin
            if fin and not length:
                return self._joined()

    def _data_frame(self, first: int, length: int) -> bool:
        """Whether this frame's message is text; look whether the frame has a place here."""
        opcode, compressed = first & 0x0F, bool(first & _COMPRESSED)
        if opcode == _CONTINUATION:
            if self._text is None:
                raise FrameFault(PROTOCOL_ERROR, "a continuation without a message to continue")
            if compressed:
                raise FrameFault(PROTOCOL_ERROR, "a message is compressed from its first frame on")
        elif opcode > _BINARY:
            raise FrameFault(PROTOCOL_ERROR, f"opcode {opcode:#x} is none")
        elif self._text is not None:
            raise FrameFault(PROTOCOL_ERROR, "a message began before the last one was complete")
        else:
            self._text = opcode == _TEXT
            if compressed:
                self._inflation = Inflation()
        size = len(self._part) + length
        if size > self._max_size and self._inflation is None:
            raise self._too_large(size)
        return self._text

    def _too_large(self, size: int) -> FrameFault:
        self._part = bytearray()
        return too_large(size, self._max_size)

    def _take(self) -> None:
        """What there is of a frame's payload; joined at once: a million parts take no more room than one."""
        data = self._data[self._position : self._position + self._missing]
        self._position += len(data)
        self._missing -= len(data)
        payload = _masked(data, self._key)
        self._part += payload if self._inflation is None else self._inflated(self._inflation, payload)
        turned = len(data) % 4
        self._key = self._key[turned:] + self._key[:turned]

    def _inflated(self, inflation: Inflation, data: bytes, *, last: bool = False) -> bytes:
        try:
            return inflation.take(data, self._max_size - len(self._part), last=last)
        except TooMuch:
            raise self._too_large(self._max_size + 1) from None
        except NotDeflated as error:
            raise FrameFault(PROTOCOL_ERROR, f"a message that cannot be decompressed: {error}") from error

    def _joined(self) -> Message:
        if self._inflation is not None:
            self._part += self._inflated(self._inflation, b"", last=True)
            self._inflation = None
        data, text = bytes(self._part), bool(self._text)
        self._part = bytearray()
        self._text = None
        return as_message(data, text)

    # Out

    def text(self, data: bytes) -> bytes:
        return self._packed(_TEXT, data)

    def binary(self, data: bytes) -> bytes:
        return self._packed(_BINARY, data)

    def ping(self, payload: bytes) -> bytes:
        return self._frame(_PING, payload)

    def pong(self, payload: bytes) -> bytes:
        return self._frame(_PONG, payload)

    def close(self, code: int, reason: str) -> bytes:
        if code == NO_CODE:
            return self._frame(_CLOSE, b"")
        return self._frame(_CLOSE, code.to_bytes(2) + cut(reason).encode())

    def _packed(self, opcode: int, data: bytes) -> bytes:
        packed = None if self._deflation is None else self._deflation.pack(data)
        return self._frame(opcode, data) if packed is None else self._frame(opcode | _COMPRESSED, packed)

    def _frame(self, opcode: int, payload: bytes) -> bytes:
        mask = _MASK if self._client else 0
        length = len(payload)
        if length <= _SHORT:
            header = bytes((_FIN | opcode, mask | length))
        elif length <= _MEDIUM:
            header = _write_medium(_FIN | opcode, mask | _TWO_BYTES, length)
        else:
            header = _write_long(_FIN | opcode, mask | _EIGHT_BYTES, length)
        if not mask:
            return header + payload
        key = os.urandom(4)  # nobody may foresee it: section 5.3
        return header + key + _masked(payload, key)


def _header(data: bytes, start: int, *, masked: bool, reserved: int) -> tuple[int, int, bytes, int] | None:
    """A frame's first byte, its payload's length, mask and place; None: it is not complete."""
    there = len(data) - start
    if there < 2:
        return None
    first, second = data[start], data[start + 1]
    length = second & ~_MASK
    if first & reserved:
        raise FrameFault(PROTOCOL_ERROR, "a reserved bit is set, and no extension was agreed on")
    if (second >= _MASK) is not masked:
        raise FrameFault(PROTOCOL_ERROR, "a client masks what it sends, a server does not")
    if first & _CONTROL and (length > _SHORT or first & (_FIN | _RESERVED) != _FIN):
        raise FrameFault(PROTOCOL_ERROR, "a control frame has at most 125 bytes, in one piece, as they are")
    place = start + 2
    if length == _TWO_BYTES:
        if there < 4:
            return None
        length = int.from_bytes(data[place : place + 2])
        place += 2
        if length <= _SHORT:
            raise FrameFault(PROTOCOL_ERROR, "a length takes more bytes than it needs")
    elif length == _EIGHT_BYTES:
        if there < 10:
            return None
        length = int.from_bytes(data[place : place + 8])
        place += 8
        if not _MEDIUM < length < 1 << 63:
            raise FrameFault(PROTOCOL_ERROR, "a length takes more bytes than it needs, or than there are")
    if not masked:
        return first, length, b"", place
    key = data[place : place + 4]
    return (first, length, key, place + 4) if len(key) == 4 else None


def _masked(data: bytes, key: bytes) -> bytes:
    """With the mask put on, or taken off (section 5.3): every fourth byte at once."""
    if not key:
        return data
    masked = bytearray(data)
    for place in range(4):
        masked[place::4] = masked[place::4].translate(_XOR[key[place]])
    return bytes(masked)


def _control(opcode: int, payload: bytes) -> Pinged | Ponged | Closed:
    if opcode == _PING:
        return Pinged(payload)
    if opcode == _PONG:
        return Ponged(payload)
    if opcode != _CLOSE:
        raise FrameFault(PROTOCOL_ERROR, f"opcode {opcode:#x} is none")
    if not payload:
        return Closed(NO_CODE, "")
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or not may_be_sent(code):
        raise FrameFault(PROTOCOL_ERROR, "a close frame without a code that it may carry")
    try:
        return Closed(code, str(payload[2:], "utf-8"))
    except UnicodeDecodeError as error:
        raise FrameFault(NO_UTF8, f"a close reason that is no UTF-8: {error.reason}") from error
