"""Where transports in memory find each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio

from aip_trio.actors import current_nursery
from aip_trio.errors import AddressInUse, ConnectFailed, NoSystem
from aip_trio.transport._conversation import converse
from aip_trio.transport._memory import SCHEME, MemoryTransport

__all__ = ["MemoryNetwork", "MemoryServer"]

#: Seconds that handlers have once their connections are closed.
_GRACE = 10.0


class MemoryServer:
    """Made by `MemoryNetwork.serve`."""

    def __init__(
        self,
        url: str,
        handler: Callable[[MemoryTransport], Awaitable[object]],
        subprotocols: Sequence[str],
    ) -> None:
        self.url = url
        self._handler = handler
        self._subprotocols = subprotocols
        self._transports: set[MemoryTransport] = set()
        self._handlers: trio.Nursery
        self._serving = trio.CancelScope()
        self._drained = trio.Event()
        self._ended = trio.Event()

    def welcome(self, client: MemoryTransport, subprotocols: Sequence[str]) -> None:
        """Connect a client that asks for it, and run the handler of the other end."""
        transport = MemoryTransport()
        client.join(transport, next((name for name in self._subprotocols if name in subprotocols), None))
        self._transports.add(transport)
        self._handlers.start_soon(self._handle, transport)

    async def _handle(self, transport: MemoryTransport) -> None:
        try:
            farewell = await converse(self._handler, transport, self.url)
            transport.end_now(farewell.code, farewell.reason)
        finally:
            self._transports.remove(transport)
            transport.cut()  # where the handler was cancelled

    async def run(
        self, gone: Callable[[], object], *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve until it is drained and the last handler has ended; then, or before, it is ``gone``."""
        try:
            with self._serving:
                async with trio.open_nursery() as self._handlers:
                    task_status.started()
                    try:
                        await self._drained.wait()
                    finally:
                        gone()
        finally:
            self._ended.set()

    async def drain(self) -> None:
        """Take no more connections; those that there are live on. A checkpoint."""
        self._drained.set()
        await trio.lowlevel.checkpoint()

    async def close(self, code: int = 1001, reason: str = "the server goes away") -> None:
        """As `WebSocketServer.close`. A checkpoint."""
        try:
            await self.drain()
            for transport in list(self._transports):
                await transport.close(code, reason)
            with trio.move_on_after(_GRACE):
                await self._ended.wait()
        finally:
            self._serving.cancel()
            with trio.CancelScope(shield=True):  # all that it waits for is cancelled
                await self._ended.wait()


class MemoryNetwork:
    """URLs ``memory://name``, and who serves there."""

    def __init__(self) -> None:
        self._servers: dict[str, MemoryServer] = {}

    def transport(self) -> MemoryTransport:
        """A transport that connects in this network."""
        return MemoryTransport(self)

    def dial(self, client: MemoryTransport, url: str, subprotocols: Sequence[str]) -> None:
        """Have a client's end joined to a new one of who serves there. Raises ConnectFailed."""
        server = self._servers.get(url)
        if server is None:
            raise ConnectFailed(url, "nobody serves there")
        server.welcome(client, subprotocols)

    async def serve(
        self,
        name: str,
        handler: Callable[[MemoryTransport], Awaitable[object]],
        *,
        nursery: trio.Nursery | None = None,
        subprotocols: Sequence[str] = (),
    ) -> MemoryServer:
        """As `serve_websocket`. A checkpoint; raises AddressInUse, NoSystem."""
        home = nursery or current_nursery()
        if home is None:
            raise NoSystem("serve() without a nursery,")
        url = SCHEME + name
        if url in self._servers:
            raise AddressInUse(url, 0)
        server = self._servers[url] = MemoryServer(url, handler, subprotocols)
        await home.start(server.run, lambda: self._forget(server))
        return server

    def _forget(self, server: MemoryServer) -> None:
        if self._servers.get(server.url) is server:
            del self._servers[server.url]
