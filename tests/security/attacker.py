"""A client that keeps to no rule: bytes on a socket, made here and by no library."""

from __future__ import annotations

import itertools
import json
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import trio

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "TEXT",
    "Attacker",
    "attacker",
    "frame",
    "head",
    "intruder",
    "message",
]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

KEY = b"\x01\x02\x03\x04"

#: Bytes that the system keeps for a socket at least: the peer's own buffer holds some 100 KB beside.
_TINY = 2048


def head(*headers: str, path: str = "/ws", host: str | None = "127.0.0.1", key: bool = True) -> bytes:
    """A request for a WebSocket, with these headers too."""
    lines = [f"GET {path} HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    if host is not None:
        lines.append(f"Host: {host}")
    if key:
        lines.append("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    return "\r\n".join([*lines, *headers, "", ""]).encode("latin-1")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, size: int | None = None) -> bytes:
    """A client's frame; with ``size`` its header lies about the length."""
    length = len(payload) if size is None else size
    first = (0x80 if fin else 0) | opcode
    if length < 126:
        header = struct.pack("!BB", first, 0x80 | length)
    elif length < 65536:
        header = struct.pack("!BBH", first, 0x80 | 126, length)
    else:
        header = struct.pack("!BBQ", first, 0x80 | 127, length)
    key = int.from_bytes(itertools.islice(itertools.cycle(KEY), len(payload)))
    masked = (int.from_bytes(payload) ^ key).to_bytes(len(payload))
    return header + KEY + masked


def message(kind: str, status: str = "ok", **fields: Any) -> bytes:
    """A frame with a message of AIP's."""
    return frame(TEXT, json.dumps({"type": kind, "status": status, **fields}).encode())


class Attacker:
    """One connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._data = b""

    async def write(self, data: bytes) -> None:
        """Raises BrokenResourceError where the server has had enough."""
        await self.stream.send_all(data)

    async def flood(self, data: bytes) -> None:
        """Write, as far as the server lets us."""
        with suppress(trio.BrokenResourceError):
            await self.stream.send_all(data)

    async def _more(self) -> bool:
        try:
            data = await self.stream.receive_some(65536)
        except trio.BrokenResourceError:
            return False
        self._data += data
        return bool(data)

    async def _exactly(self, count: int) -> bytes:
        while len(self._data) < count:
            if not await self._more():
                raise EOFError
        data, self._data = self._data[:count], self._data[count:]
        return data

    async def status(self) -> int:
        """Of the answer in HTTP."""
        while b"\r\n\r\n" not in self._data:
            if not await self._more():
                raise EOFError
        answer, _, self._data = self._data.partition(b"\r\n\r\n")
        return int(answer.split()[1])

    async def frame(self) -> tuple[int, bytes]:
        """The next frame's opcode and payload. Raises EOFError."""
        first, length = await self._exactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self._exactly(8))
        return first & 0x0F, await self._exactly(length)

    async def answer(self) -> dict[str, Any]:
        """The next message of AIP's. Raises EOFError."""
        opcode, payload = await self.frame()
        assert opcode == TEXT, (opcode, payload)
        found: dict[str, Any] = json.loads(payload)
        return found

    async def close_code(self) -> int:
        """Of the close frame that comes, after whatever else; 1006 without one."""
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2])
        except EOFError:
            return 1006

    async def ended(self) -> None:
        """Wait until the server has closed the socket."""
        while await self._more():
            self._data = b""


@asynccontextmanager
async def attacker(port: int, *, small: bool = False) -> AsyncGenerator[Attacker]:
    """A TCP connection; with ``small`` the system keeps hardly anything for it that it has not read."""
    raw = trio.socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if small:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TINY)
    await raw.connect(("127.0.0.1", port))
    async with trio.SocketStream(raw) as stream:
        yield Attacker(stream)


@asynccontextmanager
async def intruder(
    port: int, client_id: str, client_type: str = "device", *, small: bool = False, **fields: Any
) -> AsyncGenerator[Attacker]:
    """One that has registered, and what the server said to that has been read."""
    async with attacker(port, small=small) as it:
        await it.write(head())
        assert await it.status() == 101
        await it.write(message("register", client_id=client_id, client_type=client_type, **fields))
        assert (await it.answer())["type"] == "heartbeat"
        yield it
