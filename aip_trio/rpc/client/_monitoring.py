"""Whether a socket that connects to one address has its connection."""

from __future__ import annotations

from collections.abc import Callable

import trio

from aip_trio.transport.zeromq import (
    Disconnected,
    EventsLost,
    HandshakeFailed,
    HandshakeSucceeded,
    Monitor,
)

__all__ = ["until_down", "until_up"]


def _ignore(_reason: str) -> None:
    pass


async def until_up(events: Monitor, refused: Callable[[str], None] = _ignore) -> None:  # noqa: ASYNC910 - internal
    """Wait until messages can go over it; ``refused`` is told each time that the other side would not."""
    async for event in events:
        match event:
            case HandshakeSucceeded():
                return
            case HandshakeFailed(reason=reason):
                refused(reason)
            case _:
                pass
    raise trio.ClosedResourceError("this socket is closed")


async def until_down(events: Monitor) -> None:  # noqa: ASYNC910 - internal
    """Wait until it is broken."""
    async for event in events:
        if isinstance(event, Disconnected | EventsLost):  # among those lost there may be one
            return
    raise trio.ClosedResourceError("this socket is closed")
