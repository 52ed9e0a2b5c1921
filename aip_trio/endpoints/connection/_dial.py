"""How a client reaches its server, and as whom."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import attrs

from aip_trio.messages import ClientType, ServerMessage
from aip_trio.protocol import ProtocolMiddleware, RegistrationProtocol
from aip_trio.resilience import Backoff
from aip_trio.transport import Transport, WebSocketTransport

__all__ = ["Dial"]


async def _nobody(message: ServerMessage) -> None:
    """Sees no message."""


@attrs.frozen(kw_only=True)
class Dial:
    """A client's connection, before it is made: where to, as whom, how patiently.

    ``observe`` sees every message that comes in, before it is acted on. Times in seconds: ``timeout`` for
    the connection and for the registration; ``heartbeat_interval``: two of them without a sign of life
    from the server end the connection.
    """

    url: str
    client_id: str
    client_type: ClientType
    backoff: Backoff
    target_id: str | None = None
    platform: str | None = None
    metadata: Callable[[], Mapping[str, Any]] = dict[str, Any]
    headers: Sequence[tuple[str, str]] = attrs.field(default=(), repr=False)
    ssl_context: ssl.SSLContext | None = None
    heartbeat_interval: float = 20.0
    timeout: float = 120.0
    middleware: Sequence[ProtocolMiddleware] = ()
    observe: Callable[[ServerMessage], Awaitable[None]] = _nobody
    make_transport: Callable[[], Transport] = WebSocketTransport

    def protocol(self) -> RegistrationProtocol:
        """A conversation over a new transport."""
        protocol = RegistrationProtocol(self.make_transport())
        for middleware in self.middleware:
            protocol.add_middleware(middleware)
        return protocol

    def options(self) -> dict[str, Any]:
        """What the transport's connect takes beside the address."""
        options: dict[str, Any] = {}
        if self.headers:
            options["headers"] = list(self.headers)
        if self.ssl_context is not None:
            options["ssl_context"] = self.ssl_context
        return options


def bearer(token: str | None) -> tuple[tuple[str, str], ...]:
    """The header that carries a token."""
    return () if token is None else (("Authorization", f"Bearer {token}"),)
