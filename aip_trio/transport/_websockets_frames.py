"""Frames by the sans-I/O protocol of the library websockets.

Read for this: its version 17. The protocol reads; what it would say by itself, to pings, to the peer's close
frame and to faults, is dropped. When to say that is ours to decide: one pong for many pings where the peer
does not read, and a goodbye behind what waits to be sent. Nor does it write our frames, since it counts as
closed once it has read a close frame, while the messages before that are still being received, and answered.
"""

from __future__ import annotations

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import Event, Protocol, Side

from aip_trio.transport._codec import (
    Closed,
    Codec,
    Frame as OurFrame,
    FrameFault,
    Message,
    Pinged,
    Ponged,
    as_message,
    cut,
    too_large,
)
from aip_trio.transport._codes import INTERNAL, NO_CODE, NO_UTF8, PROTOCOL_ERROR

__all__ = ["WebsocketsFrames"]

_CONT, _TEXT, _BINARY = Opcode.CONT, Opcode.TEXT, Opcode.BINARY
_PING, _PONG, _CLOSE = Opcode.PING, Opcode.PONG, Opcode.CLOSE


class WebsocketsFrames(Codec):
    """``protocol``: one whose handshake is done. ``received``: what came behind that."""

    __slots__ = (
        "_closed",
        "_events",
        "_extensions",
        "_masks",
        "_max_size",
        "_part",
        "_protocol",
        "_text",
        "_waiting",
    )

    def __init__(self, protocol: Protocol, *, max_size: int, received: bytes = b"") -> None:
        self._protocol = protocol
        self._masks = protocol.side is Side.CLIENT
        self._extensions = protocol.extensions
        self._max_size = max_size
        self._events: list[Event] = []  # the last one first
        self._closed = False  # in the middle of a message
        # The message that comes in parts: what there is of it, and whether it is text; None: there is none.
        self._part = bytearray()
        self._text: bool | None = None
        self._waiting = 0  # bytes that are no frame yet
        if received:
            self.feed(received)

    # In

    @property
    def missing(self) -> int:
        return self._waiting  # it may be as much again: what is read at once doubles

    @property
    def empty(self) -> bool:
        return not self._events and self._protocol.parser_exc is None

    def feed(self, data: bytes) -> None:
        protocol = self._protocol
        protocol.receive_data(data)
        self._events = events = protocol.events_received()
        if events:
            events.reverse()
            self._waiting = 0
        else:
            self._waiting += len(data)
        protocol.data_to_send()

    def next(self) -> OurFrame | None:
        while self._events:
            frame = self._events.pop()
            assert isinstance(frame, Frame)
            opcode = frame.opcode
            if opcode is _TEXT or opcode is _BINARY or opcode is _CONT:
                message = self._message(frame)
                if message is not None:
                    return message
            elif opcode is _PING:
                return Pinged(bytes(frame.data))
            elif opcode is _PONG:
                return Ponged(bytes(frame.data))
            elif opcode is _CLOSE:
                closed = Close.parse(bytes(frame.data))
                return Closed(closed.code, closed.reason)
        if self._protocol.parser_exc is None or self._closed:
            return None
        return self._end(self._protocol.parser_exc)

    def _message(self, frame: Frame) -> Message | None:
        """The message that this frame completes. Its place and size are right: the protocol has looked."""
        opcode = frame.opcode
        if opcode is not _CONT:
            if frame.fin:
                return as_message(bytes(frame.data), opcode is _TEXT)
            self._text = opcode is _TEXT
        self._part += frame.data
        if not frame.fin:
            return None
        data, text = bytes(self._part), bool(self._text)
        self._part = bytearray()
        return as_message(data, text)

    def _end(self, error: Exception) -> Closed:
        """What the peer did last, which the protocol calls an error. Raises FrameFault where it is one."""
        closed = self._protocol.close_rcvd
        if closed is None:
            raise self._fault(error)
        self._closed = True
        return Closed(closed.code, closed.reason)  # in the middle of a message, which RFC 6455 allows

    def _fault(self, error: Exception) -> FrameFault:
        if isinstance(error, PayloadTooBig):
            limit = self._max_size
            size = limit + 1 if error.size is None else error.size + (error.current_size or 0)
            return too_large(size, limit)
        if isinstance(error, UnicodeDecodeError):
            return FrameFault(NO_UTF8, f"a close reason that is no UTF-8: {error.reason}")
        code = PROTOCOL_ERROR if isinstance(error, ProtocolError) else INTERNAL
        return FrameFault(code, str(error))

    # Out

    def text(self, data: bytes) -> bytes:
        return self._frame(_TEXT, data)

    def binary(self, data: bytes) -> bytes:
        return self._frame(_BINARY, data)

    def ping(self, payload: bytes) -> bytes:
        return self._frame(_PING, payload)

    def pong(self, payload: bytes) -> bytes:
        return self._frame(_PONG, payload)

    def close(self, code: int, reason: str) -> bytes:
        if code == NO_CODE:
            return self._frame(_CLOSE, b"")
        return self._frame(_CLOSE, Close(code, cut(reason)).serialize())

    def _frame(self, opcode: Opcode, data: bytes) -> bytes:
        return Frame(opcode, data).serialize(mask=self._masks, extensions=self._extensions)
