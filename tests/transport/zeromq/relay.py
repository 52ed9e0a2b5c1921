"""A stretch of wire between two ends of ZeroMQ, of TCP or a file, that breaks when a test says."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

__all__ = ["Relay"]


class Relay:
    """Passes bytes on; `cut` ends all that it has, for both sides and without a word.

    ``stalled``: nothing is passed on, and nothing ends, as where a cable is pulled.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._streams: set[trio.SocketStream] = set()
        self._flowing = trio.Event()
        self._flowing.set()
        self.connections = 0
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def open(cls, target: str, folder: str = "") -> AsyncGenerator[Relay]:
        """To ``target``; for an ipc address there has to be a ``folder`` for one of its own."""
        relay = cls(target)
        if target.startswith("tcp://"):
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            relay.url = f"tcp://127.0.0.1:{listener.socket.getsockname()[1]}"
        else:
            path = os.path.join(folder, "relay")
            file = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            await file.bind(path)
            file.listen()
            listener = trio.SocketListener(file)
            relay.url = f"ipc://{path}"
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, relay._serve, [listener])
            yield relay
            nursery.cancel_scope.cancel()

    def cut(self) -> None:
        """Break what there is."""
        for stream in self._streams:
            if stream.socket.fileno() >= 0:
                stream.socket.shutdown(socket.SHUT_RDWR)

    def stall(self) -> None:
        """Pass nothing on from now on."""
        self._flowing = trio.Event()

    def flow(self) -> None:
        """Pass on again."""
        self._flowing.set()

    async def _serve(self, client: trio.SocketStream) -> None:
        self.connections += 1
        server: trio.SocketStream
        if self._target.startswith("tcp://"):
            host, _, port = self._target.removeprefix("tcp://").rpartition(":")
            server = await trio.open_tcp_stream(host, int(port))
        else:
            server = await trio.open_unix_socket(self._target.removeprefix("ipc://"))
        self._streams |= {client, server}
        try:
            async with trio.open_nursery() as nursery:
                for source, sink in ((client, server), (server, client)):
                    nursery.start_soon(self._pump, source, sink, nursery.cancel_scope)
        finally:
            self._streams -= {client, server}
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(client)
                await trio.aclose_forcefully(server)

    async def _pump(self, source: trio.SocketStream, sink: trio.SocketStream, end: trio.CancelScope) -> None:
        try:
            while data := await source.receive_some(65536):
                await self._flowing.wait()
                await sink.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        end.cancel()
