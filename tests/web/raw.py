"""HTTP as bytes, for tests: what a client library would not do is done here."""

from __future__ import annotations

from urllib.parse import urlsplit

import trio

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def connect(url: str) -> trio.SocketStream:
    where = urlsplit(url)
    return await trio.open_tcp_stream(where.hostname or "", where.port or 0)


async def exchange(url: str, request: bytes) -> bytes:
    """What comes back for these bytes, to the end of the connection."""
    answer = b""
    async with await connect(url) as stream:
        await stream.send_all(request)
        try:
            while data := await stream.receive_some():
                answer += data
        except trio.BrokenResourceError:
            pass
    return answer


async def get(url: str, path: str = "/") -> tuple[int, bytes]:
    """A plain request: status and body."""
    head, _, body = (
        await exchange(url, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode())
    ).partition(b"\r\n\r\n")
    return int(head.split()[1]), body
