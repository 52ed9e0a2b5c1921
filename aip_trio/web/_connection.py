"""One connection of a web server, hypercorn's protocols on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trio
from hypercorn.events import Closed, Event, RawData
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from aip_trio.transport._asgi_socket import CONNECTION, ServersConnection
from aip_trio.web._visit import Visit
from aip_trio.web._wire import Wire

if TYPE_CHECKING:
    from hypercorn.config import Config
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Connection"]

#: A WebSocket's ping without a payload, as a server sends it (RFC 6455, section 5.5.2).
_PING = b"\x89\x00"


class Connection(TCPServer):
    """Runs the application for what comes over one wire.

    hypercorn's own `serve` lets what one connection raises end the whole server (its issue 225), and lets
    nobody cancel a write, so that a peer that does not read holds up the server's end. A server of ours runs
    these by itself, catches what they raise, and a write that is cancelled ends its connection.
    """

    def __init__(
        self,
        app: ASGIApp,
        config: Config,
        context: WorkerContext,
        state: dict[str, Any],
        wire: Wire,
        stream: trio.abc.Stream,
        visits: set[Visit],
    ) -> None:
        super().__init__(self._run_app, config, context, ConnectionState(state.copy()), stream)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # its annotation names TLS alone
        self._app = app
        self._wire = wire
        self._visits = visits

    async def _run_app(
        self, scope: Scope, receive: Receive, send: Send, sync_spawn: Callable[..., Any], call_soon: object
    ) -> None:
        """The application, as hypercorn calls it."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        if scope["http_version"] == "1.1":  # in HTTP/2 the wire carries other streams, too
            connection: ServersConnection = self
            scope[CONNECTION] = connection
        visit = Visit(receive, send, self._wire.ended)
        self._visits.add(visit)
        self._task_group.spawn(visit.watch)  # pyright: ignore[reportUnknownMemberType]
        try:
            await self._app(scope, visit.receive, visit.send)
        finally:
            self._visits.discard(visit)
            visit.finish()

    async def protocol_send(self, event: Event) -> None:
        """What hypercorn's protocols call to write, and to close."""
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        async with self.send_lock:
            try:
                await self.stream.send_all(event.data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                await self.protocol.handle(Closed())
            except trio.Cancelled:
                self._wire.cut()  # who knows how much of it is out
                raise

    # What ASGI lacks: see `ServersConnection`

    @property
    def last_heard(self) -> float:
        """When bytes came from the peer, in Trio's clock."""
        return self._wire.last_heard

    @property
    def gone(self) -> bool:
        """Whether the peer has ended it, or its socket is closed."""
        return self._wire.ended.is_set()

    async def ping(self) -> None:
        """Send a WebSocket's ping, and wait until something comes. A checkpoint."""
        before = self._wire.last_heard
        await self.protocol_send(RawData(_PING))
        if self._wire.last_heard == before:
            await self._wire.heard()

    def cut(self) -> None:
        """Close the socket, whoever waits for it."""
        self._wire.cut()
