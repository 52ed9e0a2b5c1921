"""Reading the head of an HTTP message, and not a byte more."""

from __future__ import annotations

import trio

__all__ = ["HeadTooLong", "read_head"]

_CHUNK = 4096
_LONGEST = 16384
_END = b"\r\n\r\n"


class HeadTooLong(Exception):
    """There is no end of it, after more bytes than anybody needs."""


async def read_head(stream: trio.abc.ReceiveStream) -> tuple[bytes, bytes]:
    """The head, and what came behind it: frames, or a body. A checkpoint.

    Raises HeadTooLong, and BrokenResourceError where the stream ends before the head does.
    """
    data = bytearray()
    while len(data) <= _LONGEST:
        more = await stream.receive_some(_CHUNK)
        if not more:
            raise trio.BrokenResourceError("the connection ended in the middle of the handshake")
        data += more
        head, end, rest = data.partition(_END)
        if end:
            return bytes(head + end), bytes(rest)
    raise HeadTooLong(f"a head of more than {_LONGEST} bytes")
