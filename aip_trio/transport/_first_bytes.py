"""A stream of which something has been read already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

__all__ = ["FirstBytes"]


class FirstBytes(trio.abc.Stream):
    """Gives what ``first()`` returns, and then what comes: for a library that wants to read all of it."""

    def __init__(self, stream: trio.abc.Stream, first: Callable[[], Awaitable[bytes]]) -> None:
        self.stream = stream
        self._first: Callable[[], Awaitable[bytes]] | None = first

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        first, self._first = self._first, None
        return await (self.stream.receive_some(max_bytes) if first is None else first())

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self.stream.aclose()
