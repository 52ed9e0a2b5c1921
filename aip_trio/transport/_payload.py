"""What can be sent."""

from __future__ import annotations

from aip_trio.errors import InvalidMessage

__all__ = ["as_bytes", "is_text"]


def as_bytes(data: bytes | bytearray | memoryview) -> bytes:
    """A message as it is now. Raises InvalidMessage."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise InvalidMessage(data, "is no bytes: encode a text with .encode()")


def is_text(data: bytes) -> bool:
    """Whether it is UTF-8, and so goes as text."""
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
