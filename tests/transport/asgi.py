"""WebSockets of Starlette on real sockets, for tests: served by us, or by hypercorn alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

import trio
from hypercorn.config import Config
from hypercorn.trio import serve  # pyright: ignore[reportUnknownVariableType]
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from aip_trio.transport import WebSocketTransport, serve_asgi_websocket
from aip_trio.web import serve_app
from tests.transport.conformance import Ends
from tests.transport.ends import cut

if TYPE_CHECKING:
    from hypercorn.typing import Framework  # pyright: ignore[reportUnknownVariableType]

Route: TypeAlias = Callable[[WebSocket], Awaitable[None]]
Serving: TypeAlias = Callable[[Route], AbstractAsyncContextManager[str]]


def app_of(route: Route) -> Starlette:
    """An application of one WebSocket route."""
    return Starlette(routes=[WebSocketRoute("/ws", route)])


@asynccontextmanager
async def served(route: Route) -> AsyncGenerator[str]:
    """Under our server: the URL of the route."""
    async with trio.open_nursery() as nursery:
        server = await serve_app(app_of(route), nursery=nursery, graceful_timeout=1.0)
        yield server.url.replace("http", "ws") + "/ws"
        await server.close()


@asynccontextmanager
async def hypercorn(app: ASGIApp) -> AsyncGenerator[str]:
    """Any application under hypercorn's own Trio worker: the URL of its ``/ws``."""
    config = Config()
    config.bind = "127.0.0.1:0"
    config.errorlog = None
    config.graceful_timeout = 0.5
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        start = partial(serve, cast("Framework", app), config, mode="asgi", shutdown_trigger=stop.wait)
        (where,) = await nursery.start(start)
        yield where.replace("http", "ws") + "/ws"
        stop.set()


def bare(route: Route) -> AbstractAsyncContextManager[str]:
    """Under hypercorn's own Trio worker."""
    return hypercorn(app_of(route))


@asynccontextmanager
async def asgi_ends(
    serving: Serving = served, *, hosted: bool = True, max_size: int = 1 << 24
) -> AsyncGenerator[Ends]:
    """A client of ours, and what is made of it behind the server; the latter is under test.

    ``hosted``: by `serve_asgi_websocket`; else by `WebSocketTransport(websocket)` alone.
    """
    accepted: list[WebSocketTransport] = []
    arrived, leave = trio.Event(), trio.Event()

    async def handler(transport: WebSocketTransport) -> None:
        accepted.append(transport)
        arrived.set()
        await leave.wait()

    async def route(websocket: WebSocket) -> None:
        if hosted:
            await serve_asgi_websocket(handler, websocket, close_timeout=2.0, max_size=max_size)
        else:
            await websocket.accept()
            await handler(WebSocketTransport(websocket, close_timeout=2.0, max_size=max_size))

    async with serving(route) as url, WebSocketTransport(close_timeout=2.0) as client:
        await client.connect(url)
        await arrived.wait()
        yield Ends(accepted[0], client, partial(cut, client))
        leave.set()
        await client.close()
