"""How a client reaches its server, and as whom."""

from __future__ import annotations

import inspect
import math
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from aip_trio.endpoints._fittings import Fittings
from aip_trio.endpoints.connection._refusals import Refusals, Wary
from aip_trio.errors import HandshakeRefused, RegistrationRefused
from aip_trio.messages import ClientType, ServerMessage
from aip_trio.protocol import SUBPROTOCOLS, RegistrationProtocol
from aip_trio.resilience import Backoff
from aip_trio.transport import AdapterName, Transport, check_adapter, transport_for

if TYPE_CHECKING:
    from aip_trio.transport.zeromq import CurveClient

__all__ = ["Dial", "bearer", "transports"]


async def _nobody(message: ServerMessage) -> None:
    """Sees no message."""


@attrs.frozen(kw_only=True)
class Dial:
    """A client's connection, before it is made: where to, as whom, how patiently.

    ``observe`` sees every message that comes in, before it is acted on. Times in seconds: ``timeout`` for
    the connection and for the registration; ``heartbeat_interval``: two of them without a sign of life
    from the server end the connection. ``subprotocols``: the links that it can do, the preferred one first.
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
    fittings: Fittings = attrs.field(factory=Fittings)
    observe: Callable[[ServerMessage], Awaitable[None]] = _nobody
    #: what it talks over, for this URL
    make_transport: Callable[[str], Transport] = transport_for
    subprotocols: Sequence[str] = SUBPROTOCOLS
    #: seconds for which a link is resumed, and no longer than the server has it; None: as long as it has,
    #: where there are retries
    resume_window: float | None = None
    #: what the server has against this client; of all its connections
    refusals: Refusals = attrs.field(init=False, factory=Refusals)

    def protocol(self) -> RegistrationProtocol:
        """A conversation over a new transport."""
        protocol = RegistrationProtocol(self.transport())
        return self.fittings.fit(protocol, self.target_id or self.client_id)

    def transport(self) -> Transport:
        """A new one, not connected yet. Raises InvalidUrl, ZeroMQMissing."""
        return self.make_transport(self.url)

    @property
    def patience(self) -> Backoff:
        """The backoff between connections, which is longer where the server refuses them."""
        return Wary.of(self.backoff, self.refusals)

    def refused(self, error: HandshakeRefused | RegistrationRefused) -> None:
        """The server has said no; it will be asked again, unless this client asks once alone."""
        if self.backoff.max_retries != 0:
            self.refusals.refused(self.client_id, error)

    @property
    def window_limit(self) -> float:
        """Seconds: who never connects again does not resume either, unless told so."""
        if self.resume_window is not None:
            return self.resume_window
        return 0.0 if self.backoff.max_retries == 0 else math.inf

    async def connect(self, transport: Transport) -> Transport:
        """Connect a new transport. A checkpoint. Raises TransportError."""
        await transport.connect(self.url, **self._options(transport))
        return transport

    def _options(self, transport: Transport) -> dict[str, Any]:
        """What the transport's connect takes beside the address; one of the program's own may take less."""
        options: dict[str, Any] = {}
        if self.subprotocols and self.window_limit > 0 and _takes(transport.connect, "subprotocols"):
            options["subprotocols"] = list(self.subprotocols)
        if self.headers:
            options["headers"] = list(self.headers)
        if self.ssl_context is not None:
            options["ssl_context"] = self.ssl_context
        return options


def _takes(function: Callable[..., object], name: str) -> bool:
    parameters = inspect.signature(function).parameters
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def transports(
    make_transport: Callable[[], Transport] | None, adapter: AdapterName, curve: CurveClient | None = None
) -> Callable[[str], Transport]:
    """What makes a client's transports: the program's own, or by the URL, with this adapter or these keys.

    Raises InvalidSpec, AdapterMissing.
    """
    if make_transport is not None:
        return lambda _: make_transport()
    return partial(transport_for, adapter=check_adapter(adapter), curve=curve)


def bearer(token: str | None) -> tuple[tuple[str, str], ...]:
    """The header that carries a token."""
    return () if token is None else (("Authorization", f"Bearer {token}"),)
