"""hypercorn, as far as a server of ours uses it: what speaks HTTP on one connection."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Any

import trio
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext

from aip_trio.web._connection import Connection

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from aip_trio.web._visit import Visit
    from aip_trio.web._wire import Wire

__all__ = ["Engine"]

#: Seconds for a TLS handshake, and for the head of a request.
_PATIENCE = 10.0


class Engine:
    """What all connections of a server share."""

    def __init__(self, ssl_context: ssl.SSLContext | None, max_size: int) -> None:
        self._ssl_context = ssl_context
        self._context = WorkerContext(None)
        self._config = config = Config()
        config.errorlog = logging.getLogger("aip_trio.web")
        config.include_server_header = False
        config.keep_alive_timeout = config.ssl_handshake_timeout = _PATIENCE
        config.websocket_max_message_size = max_size

    async def converse(self, app: ASGIApp, wire: Wire, state: dict[str, Any], visits: set[Visit]) -> None:
        """Serve one connection to its end. A checkpoint."""
        stream: trio.abc.Stream = wire
        if self._ssl_context is not None:
            stream = trio.SSLStream(wire, self._ssl_context, server_side=True, https_compatible=True)
        await Connection(app, self._config, self._context, state, wire, stream, visits).run()

    async def wind_up(self) -> None:  # noqa: ASYNC910 - not called from outside
        """The server goes: idle connections end, and no request follows on another."""
        await self._context.terminated.set()
