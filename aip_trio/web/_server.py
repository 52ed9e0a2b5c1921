"""A web server for one application."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import attrs
import trio

from aip_trio.actors import current_nursery
from aip_trio.errors import AppFailed, InvalidSpec, NoSystem, WebMissing
from aip_trio.transport._listening import listen, port_of
from aip_trio.transport._settings import check_seconds
from aip_trio.transport._url import authority
from aip_trio.web._lifespan import Lifespan
from aip_trio.web._visit import Visit
from aip_trio.web._wire import Wire

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from aip_trio.web._engine import Engine

__all__ = ["WebServer", "WebServerStatistics", "serve_app"]

logger = logging.getLogger("aip_trio.web")


@attrs.frozen
class WebServerStatistics:
    """Counters of a server."""

    #: that live now
    connections: int
    #: since the start
    accepted: int
    #: cut off beyond max_connections
    refused: int
    #: that ended with an error of the protocol, or of what serves it
    failed: int


class WebServer:
    """Made by `serve_app`."""

    def __init__(
        self,
        app: ASGIApp,
        engine: Engine,
        *,
        drain: Callable[[], Awaitable[object]] | None,
        graceful_timeout: float,
        max_connections: int,
    ) -> None:
        self._app = app
        self._engine = engine
        self._drain = drain
        self._graceful_timeout = graceful_timeout
        self._max_connections = max_connections
        self._lifespan = Lifespan(app)
        self._wires: set[Wire] = set()
        self._visits: set[Visit] = set()
        self._accepted = self._refused = self._failed = 0
        self._handlers: trio.Nursery | None = None
        self._accepting, self._serving = trio.CancelScope(), trio.CancelScope()
        self._living = trio.CancelScope()
        self._drained, self._quiet, self._ended = trio.Event(), trio.Event(), trio.Event()
        self.host = self.url = ""
        self.port = 0

    def statistics(self) -> WebServerStatistics:
        """What has happened so far."""
        return WebServerStatistics(len(self._wires), self._accepted, self._refused, self._failed)

    async def closed(self) -> None:
        """Wait until it has ended. A checkpoint."""
        await self._ended.wait()

    async def close(self, code: int = 1001, reason: str = "the server goes away") -> None:
        """End it in order. A checkpoint; cancelled, it ends at once.

        No more connections; ``drain``; WebSockets that are still open get a close frame with this code;
        what else runs has ``graceful_timeout`` seconds, and is cancelled then; the application's shutdown.
        """
        try:
            self._accepting.cancel()
            await self._drained.wait()
            failure = await self._drain_first()
            self._part(code, reason)
            with trio.move_on_after(self._graceful_timeout):
                await self._quiet.wait()
            self._serving.cancel()
            await self._ended.wait()
        finally:
            self._living.cancel()
        if failure is not None:
            raise failure

    async def _drain_first(self) -> Exception | None:
        """What ``drain`` raises comes out of `close` when the rest is done."""
        try:
            if self._drain is not None:
                await self._drain()
        except Exception as error:  # noqa: BLE001 - raised by close
            return error  # noqa: ASYNC910 - not called from outside
        return None  # noqa: ASYNC910 - not called from outside

    def _part(self, code: int, reason: str) -> None:
        """Send the goodbyes, each in a task of its own: who does not read holds up nobody else's."""
        if self._handlers is not None and self._wires:
            self._handlers.start_soon(self._engine.wind_up)
            for visit in self._visits:
                self._handlers.start_soon(visit.dismiss, code, reason)

    # Its task

    async def run(
        self,
        listeners: list[trio.abc.Listener[trio.abc.Stream]],
        *,
        task_status: trio.TaskStatus[AppFailed | None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until it is closed. A checkpoint. Raises AppFailed where the application's lifespan ends."""
        try:
            with self._living:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._lifespan.run)
                    try:
                        await self._lifespan.start()
                    except AppFailed as failed:
                        task_status.started(failed)
                        nursery.cancel_scope.cancel()
                    else:
                        task_status.started()
                        await self._serve(listeners)
                        await self._lifespan.stop()
        finally:
            self._drained.set()
            self._quiet.set()
            self._ended.set()
            with trio.CancelScope(shield=True):  # closing a listener waits for nobody
                for listener in listeners:
                    await listener.aclose()

    async def _serve(self, listeners: list[trio.abc.Listener[trio.abc.Stream]]) -> None:
        with self._serving:
            async with trio.open_nursery() as self._handlers:
                with self._accepting:
                    await trio.serve_listeners(self._handle, listeners, handler_nursery=self._handlers)
                self._drained.set()
        self._drained.set()
        self._quiet.set()

    async def _handle(self, stream: trio.SocketStream) -> None:
        """One connection. What goes wrong with it is no other's trouble."""
        if len(self._wires) >= self._max_connections:
            self._refused += 1
            await trio.aclose_forcefully(stream)
            return
        self._accepted += 1
        wire = Wire(stream)
        self._wires.add(wire)
        try:
            await self._engine.converse(self._app, wire, self._lifespan.state, self._visits)
        except* Exception as group:
            self._failed += 1
            logger.warning("a connection failed: %s", group.exceptions[0], exc_info=group)
        finally:
            self._wires.discard(wire)
            with trio.CancelScope(shield=True):  # closing forcefully waits for nobody
                await trio.aclose_forcefully(wire)


async def serve_app(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    nursery: trio.Nursery | None = None,
    ssl_context: ssl.SSLContext | None = None,
    drain: Callable[[], Awaitable[object]] | None = None,
    graceful_timeout: float = 3.0,
    max_connections: int = 10_000,
    max_size: int = 16 * 1024 * 1024,
) -> WebServer:
    """Serve an ASGI application, and return when it has started and listens. A checkpoint.

    It runs in ``nursery``, else in that of the actor that calls, else in the system's, until
    `WebServer.close`; port 0 picks one. ``drain``: awaited first by `close`, while connections still work: an
    endpoint's `stop` says its own goodbyes there. ``max_size``: bytes or characters of a WebSocket's message.

    Raises AddressInUse, CannotListen, AppFailed, InvalidSpec, NoSystem, WebMissing.
    """
    if not 0 <= port <= 65535:
        raise InvalidSpec("port", port, "give 0 to 65535, where 0 picks one")
    if max_connections < 1:
        raise InvalidSpec("max_connections", max_connections, "give 1 or more")
    if max_size < 1:
        raise InvalidSpec("max_size", max_size, "give 1 or more")
    check_seconds("graceful_timeout", graceful_timeout)
    try:
        from aip_trio.web._engine import Engine
    except ImportError as error:
        raise WebMissing(str(error)) from error
    home = nursery or current_nursery()
    if home is None:
        raise NoSystem("serve_app() without a nursery,")
    server = WebServer(
        app,
        Engine(ssl_context, max_size),
        drain=drain,
        graceful_timeout=graceful_timeout,
        max_connections=max_connections,
    )
    listeners: list[trio.abc.Listener[trio.abc.Stream]] = list(await listen(host, port))
    server.host, server.port = host, port_of(listeners, port)
    server.url = f"{'http' if ssl_context is None else 'https'}://{authority(host, server.port)}"
    failed: AppFailed | None = await home.start(server.run, listeners)
    if failed is not None:
        await server.closed()
        raise failed
    return server
