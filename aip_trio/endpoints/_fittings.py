"""What a program adds to each connection of an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

from aip_trio.actors import Actor, ChildSpec, StopReason
from aip_trio.errors import InvalidSpec
from aip_trio.extensions import AIPExtension, ExtensionCalls, ExtensionTap
from aip_trio.protocol import AIPProtocol, ProtocolMiddleware
from aip_trio.resilience import Backoff

__all__ = ["Fittings", "Middleware"]

#: Middleware that sees all connections of an endpoint, or what makes a new one for each connection.
Middleware: TypeAlias = ProtocolMiddleware | Callable[[], ProtocolMiddleware]

P = TypeVar("P", bound=AIPProtocol)

#: Seconds that extensions may take for what has happened, when their endpoint stops.
_LAST_CALLS = 2.0


class Fittings:
    """An endpoint's middleware and extensions. Raises InvalidSpec.

    Extensions hear of a connection's messages nearest to the wire: behind all middleware.
    """

    def __init__(
        self, middleware: Sequence[Middleware] = (), extensions: Sequence[AIPExtension] = ()
    ) -> None:
        self._makers = [_maker(each) for each in middleware]
        self.calls = ExtensionCalls(extensions)

    def fit(self, protocol: P, endpoint_id: str = "") -> P:
        """Give a new connection what belongs to it."""
        for make in self._makers:
            middleware = make()
            if not isinstance(middleware, ProtocolMiddleware):
                raise InvalidSpec("middleware", middleware, "have its function return a ProtocolMiddleware")
            protocol.add_middleware(middleware)
        if self.calls:
            protocol.add_middleware(ExtensionTap(self.calls, endpoint_id))
        return protocol

    def specs(self, backoff: Backoff | None = None) -> Iterable[ChildSpec]:
        """The actor in whose nursery the extensions run, where there are any: the first of its siblings."""
        if self.calls:
            yield ChildSpec("extensions", Extensions, self.calls, backoff=backoff)


class Extensions(Actor):
    """Gives the calls of extensions a place to run. It stops last, so that they hear of everything."""

    def __init__(self, calls: ExtensionCalls) -> None:
        self._calls = calls

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """Call what has waited."""
        self._calls.open(self.nursery)

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Let them come to an end."""
        await self._calls.close(_LAST_CALLS)


def _maker(middleware: Middleware) -> Callable[[], ProtocolMiddleware]:
    if isinstance(middleware, ProtocolMiddleware):
        return lambda: middleware
    if callable(middleware):
        return middleware
    raise InvalidSpec("middleware", middleware, "give a ProtocolMiddleware, or a function that makes one")
