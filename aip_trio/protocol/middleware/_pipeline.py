"""The middleware of one protocol object, in its order."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from aip_trio.errors import EncodeError, InvalidMessage, MiddlewareFailed, PeerError, SendingTooFast
from aip_trio.messages import WireModel
from aip_trio.protocol._kind import kind_of
from aip_trio.protocol.middleware._base import ProtocolMiddleware

__all__ = ["Pipeline"]

logger = logging.getLogger("aip_trio.protocol")

M = TypeVar("M", bound=WireModel)


class Pipeline:
    """Takes messages through middleware: first to last on the way out, last to first on the way in.

    What middleware raises comes out as it is. Only a link (``linked``) has to know whose fault it was, and
    gets MiddlewareFailed; but for what is meant for the other end of the way: a PeerError on the way in,
    EncodeError and SendingTooFast on the way out.
    """

    __slots__ = ("_all", "_blamed", "_on_decoded", "_on_encoded", "_on_failure")

    def __init__(self) -> None:
        self._all: tuple[ProtocolMiddleware, ...] = ()
        self._on_encoded: tuple[Callable[[WireModel, int], None], ...] = ()
        self._on_decoded: tuple[Callable[[WireModel, int], None], ...] = ()
        self._on_failure: tuple[Callable[[Exception], None], ...] = ()
        self._blamed: frozenset[str] = frozenset()  # which takes no room of its own while empty

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, middleware: ProtocolMiddleware) -> None:
        """One more, behind those added before."""
        self._all = (*self._all, middleware)
        if _has_own(middleware, "on_encoded"):
            self._on_encoded = (*self._on_encoded, middleware.on_encoded)
        if _has_own(middleware, "on_decoded"):
            self._on_decoded = (*self._on_decoded, middleware.on_decoded)
        if _has_own(middleware, "on_failure"):
            self._on_failure = (*self._on_failure, middleware.on_failure)

    async def outgoing(self, message: M, *, linked: bool = False) -> M:
        """The message to send."""
        kind = type(message)
        for middleware in self._all:
            try:
                message = _same(kind, await middleware.process_outgoing(message), middleware)
            except Exception as error:
                if linked and not isinstance(error, (EncodeError, SendingTooFast)):
                    raise _failure(middleware, message, error) from error
                raise
        return message  # noqa: ASYNC910 - not called from outside

    async def incoming(self, message: M, *, linked: bool = False) -> M:
        """The message to hand on."""
        kind = type(message)
        for middleware in reversed(self._all):
            try:
                message = _same(kind, await middleware.process_incoming(message), middleware)
            except Exception as error:
                if linked and not isinstance(error, PeerError):
                    raise _failure(middleware, message, error) from error
                raise
        return message  # noqa: ASYNC910 - not called from outside

    def encoded(self, message: WireModel, size: int) -> None:
        """A message goes out, as so many bytes."""
        self._tell(self._on_encoded, message, size)

    def decoded(self, message: WireModel, size: int) -> None:
        """A message has come, in so many bytes."""
        self._tell(self._on_decoded, message, size)

    def failed(self, error: Exception) -> None:
        """Something went wrong with a message, or with the connection."""
        self._tell(self._on_failure, error)

    def blame(self, failed: MiddlewareFailed) -> str:
        """Middleware failed, and nobody receives the error: the log does, once.

        Returns what to tell the peer, but for what was raised: that is this program's own.
        """
        if failed.middleware not in self._blamed:
            self._blamed |= {failed.middleware}
            logger.error("%s; this is logged once for a connection", failed, exc_info=failed.cause)
        return f"internal error: middleware {failed.middleware} failed on the {failed.message_type}"

    def _tell(self, hooks: tuple[Callable[..., None], ...], *facts: Any) -> None:
        for hook in hooks:
            try:
                hook(*facts)
            except Exception:
                logger.exception("%s failed", getattr(hook, "__qualname__", hook))


def _same(kind: type[M], passed: object, middleware: ProtocolMiddleware) -> M:
    if isinstance(passed, kind):
        return passed
    name, wanted = type(middleware).__name__, kind.__name__
    raise InvalidMessage(passed, f"was returned by {name} for a {wanted}: return a {wanted}")


def _failure(middleware: ProtocolMiddleware, message: WireModel, error: Exception) -> MiddlewareFailed:
    return MiddlewareFailed(type(middleware).__name__, kind_of(message), error)


def _has_own(middleware: ProtocolMiddleware, name: str) -> bool:
    return getattr(type(middleware), name) is not getattr(ProtocolMiddleware, name)
