"""permessage-deflate for the library websockets, with our rules.

The library's own extension compresses each message, however short, and where a message is as large as the
limit before its last part, bounds that part by nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from websockets.exceptions import NegotiationError, PayloadTooBig, ProtocolError
from websockets.extensions import ClientExtensionFactory, Extension, ServerExtensionFactory
from websockets.frames import Frame, Opcode
from websockets.typing import ExtensionName, ExtensionParameter

from aip_trio.transport import _deflate as deflate

__all__ = ["ClientDeflate", "ServerDeflate"]

_DATA = (Opcode.TEXT, Opcode.BINARY)


class _Deflate(Extension):
    """One connection's."""

    name = ExtensionName(deflate.NAME)

    def __init__(self, deflation: deflate.Deflation) -> None:
        self._deflation = deflation
        self._inflation: deflate.Inflation | None = None  # of the message that comes

    def encode(self, frame: Frame) -> Frame:
        if frame.opcode not in _DATA:
            return frame
        packed = self._deflation.pack(bytes(frame.data))
        return frame if packed is None else Frame(frame.opcode, packed, frame.fin, rsv1=True)

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        assert max_size is not None
        if frame.opcode in _DATA:
            self._inflation = deflate.Inflation() if frame.rsv1 else None
        elif frame.rsv1 or frame.opcode is not Opcode.CONT:
            return frame  # which the protocol refuses, where it has no place
        if self._inflation is None:
            return frame
        try:
            data = self._inflation.take(bytes(frame.data), max_size, last=frame.fin)
        except deflate.TooMuch:
            raise PayloadTooBig(None, max_size) from None
        except deflate.NotDeflated as error:
            raise ProtocolError(f"a message that cannot be decompressed: {error}") from error
        if frame.fin:
            self._inflation = None
        return Frame(frame.opcode, data, frame.fin, rsv2=frame.rsv2, rsv3=frame.rsv3)


@attrs.frozen
class ClientDeflate(ClientExtensionFactory):
    """What a client offers."""

    name = ExtensionName(deflate.NAME)
    threshold: int

    def get_request_params(self) -> Sequence[ExtensionParameter]:
        return deflate.OFFER

    def process_response_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> Extension:
        agreed = None if accepted_extensions else deflate.agree(params, self.threshold)
        if agreed is None:
            raise NegotiationError("the answer is none to what was offered")
        return _Deflate(agreed)


@attrs.frozen
class ServerDeflate(ServerExtensionFactory):
    """What a server accepts."""

    name = ExtensionName(deflate.NAME)
    threshold: int

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Extension]:
        accepted = None if accepted_extensions else deflate.accept(params, self.threshold)
        if accepted is None:
            raise NegotiationError("an offer that cannot be accepted")
        answer, deflation = accepted
        return list(answer), _Deflate(deflation)
