"""Compression of messages, each by itself (RFC 7692, permessage-deflate without context takeover).

A context that is kept over messages would compress small ones better; it is 300 KiB of memory for each
connection, and what a peer may fill with hostile data.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeAlias

import attrs

__all__ = ["NAME", "OFFER", "Deflation", "Inflation", "NotDeflated", "TooMuch", "accept", "agree"]

NAME = "permessage-deflate"
#: The parameters of an extension, in their order.
Parameters: TypeAlias = "Sequence[tuple[str, str | None]]"

_HERE, _THERE = "server_no_context_takeover", "client_no_context_takeover"
_SERVER_BITS, _CLIENT_BITS = "server_max_window_bits", "client_max_window_bits"
#: What a client offers.
OFFER: Parameters = ((_HERE, None), (_THERE, None))

_BITS = 15
#: Measured on AIP's JSON: a tenth larger than zlib's default makes it, in half of the time.
_LEVEL = 1
#: What ends each compressed message, and is left out (section 7.2.1).
_TAIL = b"\x00\x00\xff\xff"
#: Bytes that may come after a final block: the one of section 7.2.3.4, and the tail.
_AFTER = 5


class TooMuch(Exception):
    """It inflates to more than there may be."""


class NotDeflated(Exception):
    """The bytes are none that deflate makes."""


@attrs.frozen
class Deflation:
    """What this side does with its messages, once both have agreed.

    Those from ``threshold`` bytes on are compressed, with a window of ``bits``.
    """

    threshold: int
    bits: int = _BITS

    def pack(self, data: bytes) -> bytes | None:
        """The message compressed; None where it is better sent as it is."""
        if len(data) < self.threshold:
            return None
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -self.bits)
        packed = deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)
        return packed[: -len(_TAIL)] if len(packed) - len(_TAIL) < len(data) else None


class Inflation:
    """One message that is being decompressed, in as many parts as it comes."""

    __slots__ = ("_inflater",)

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(-_BITS)  # which reads what any smaller window has made

    def take(self, data: bytes, room: int, *, last: bool) -> bytes:
        """What this part inflates to, at most ``room`` bytes. ``last``: nothing follows.

        Raises TooMuch, before more than that is in memory, and NotDeflated.
        """
        inflater = self._inflater
        try:
            inflated = inflater.decompress(data + _TAIL if last else data, room + 1)
        except zlib.error as error:
            raise NotDeflated(str(error)) from error
        if len(inflated) > room:
            raise TooMuch
        if len(inflater.unused_data) > _AFTER:
            raise NotDeflated("it goes on after its final block")
        return inflated


def accept(offered: Parameters, threshold: int) -> tuple[Parameters, Deflation] | None:
    """A server's answer to an offer, and what it then does; None: it declines."""
    found = _read(offered)
    if found is None:
        return None
    bits = found.get(_SERVER_BITS, _BITS)
    if bits is None or bits < 9:  # zlib makes no window of 8
        return None
    limits = [(_SERVER_BITS, str(bits))] if _SERVER_BITS in found else []
    return [*OFFER, *limits], Deflation(threshold, bits)


def agree(answered: Parameters, threshold: int) -> Deflation | None:
    """What a client does after a server's answer to `OFFER`; None: that is no answer to it."""
    found = _read(answered)
    if found is None or _HERE not in found or _CLIENT_BITS in found or found.get(_SERVER_BITS, 8) is None:
        return None
    return Deflation(threshold)


def _read(parameters: Parameters) -> dict[str, int | None] | None:
    """Each once, with its bits; None where one is unknown, double, or has another value (section 7.1)."""
    found: dict[str, int | None] = {}
    for name, value in parameters:
        if name in found:
            return None
        if name in (_HERE, _THERE):
            if value is not None:
                return None
            found[name] = None
        elif name in (_SERVER_BITS, _CLIENT_BITS):
            if value is not None and value not in map(str, range(8, 16)):
                return None
            found[name] = None if value is None else int(value)
        else:
            return None
    return found
