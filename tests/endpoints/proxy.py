"""A stretch of network that breaks where a test says: after so many bytes of the first connection."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

__all__ = ["Proxy"]


class Proxy:
    """Passes TCP on to a port of this machine.

    The first connection ends, for both sides and without a word, when ``up`` bytes have gone to the server,
    or ``down`` bytes have come from it; those after it live on.
    """

    def __init__(self, port: int, up: int | None, down: int | None) -> None:
        self._port = port
        self._limits: tuple[int | None, int | None] = (up, down)
        #: bytes of the first connection
        self.up = self.down = 0
        self.connections = 0
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, port: int, *, up: int | None = None, down: int | None = None
    ) -> AsyncGenerator["Proxy"]:
        proxy = cls(port, up, down)
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        proxy.url = f"ws://127.0.0.1:{listener.socket.getsockname()[1]}/ws"
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, proxy._serve, [listener])
            yield proxy
            nursery.cancel_scope.cancel()

    @property
    def has_cut(self) -> bool:
        """Whether the first connection came to its limit."""
        up, down = self._limits
        return (up is not None and self.up >= up) or (down is not None and self.down >= down)

    async def _serve(self, client: trio.SocketStream) -> None:
        first = self.connections == 0
        self.connections += 1
        server = await trio.open_tcp_stream("127.0.0.1", self._port)
        up, down = self._limits if first else (None, None)
        try:
            async with trio.open_nursery() as nursery:
                for source, sink, limit in ((client, server, up), (server, client, down)):
                    nursery.start_soon(self._pump, source, sink, limit, first, nursery.cancel_scope)
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(client)
                await trio.aclose_forcefully(server)

    async def _pump(
        self,
        source: trio.SocketStream,
        sink: trio.SocketStream,
        limit: int | None,
        first: bool,
        end: trio.CancelScope,
    ) -> None:
        upward = sink.socket.getpeername()[1] == self._port
        passed = 0
        try:
            while limit is None or passed < limit:
                room = 65536 if limit is None else limit - passed
                data = await source.receive_some(min(room, 65536))
                if not data:
                    break
                await sink.send_all(data)
                passed += len(data)
                if first and upward:
                    self.up = passed
                elif first:
                    self.down = passed
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        end.cancel()
