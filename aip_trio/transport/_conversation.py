"""Running a server's handler for one connection."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import attrs

from aip_trio.errors import TransportError
from aip_trio.transport._transport import Transport

__all__ = ["Farewell", "converse"]

logger = logging.getLogger("aip_trio.transport")

T = TypeVar("T", bound=Transport)


@attrs.frozen
class Farewell:
    """How to close a connection after its handler."""

    code: int
    reason: str
    crashed: bool


async def converse(handler: Callable[[T], Awaitable[object]], transport: T, peer: str) -> Farewell:
    """Run a handler; what it raises is logged, and no one else's trouble. A cancellation goes through."""
    crashed = False
    try:
        await handler(transport)
    except* Exception as group:  # whatever it is, and beside a cancellation, too
        crashed = transport.is_connected or not all(
            isinstance(error, TransportError) for error in _all(group)
        )
        if crashed:
            logger.error("the handler of %s crashed", peer, exc_info=group, extra={"peer": peer})
        else:  # it did not catch that its connection is gone
            logger.debug("%s: %s", peer, next(_all(group)), extra={"peer": peer})
    return Farewell(1011, "the server failed", True) if crashed else Farewell(1000, "", False)  # noqa: ASYNC910 - not called from outside


def _all(group: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _all(error)
        else:
            yield error
