"""Whether a socket that connects to one address has its connection, and that it is tried again."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import trio

from aip_trio.transport.zeromq import (
    Connected,
    Disconnected,
    EventsLost,
    HandshakeFailed,
    HandshakeSucceeded,
    Monitor,
    SocketEvent,
    ZeroMQSocket,
)

__all__ = ["keep_up", "until_down", "until_up"]

#: Seconds after which libzmq, had it a mind to connect again, would have said so.
_SILENCE = 0.5

_ANOTHER_KIND = "what listens there is no socket of that kind, as at a wrong port"


def _ignore(_reason: str) -> None:
    pass


async def until_up(  # noqa: ASYNC910 - internal
    socket: ZeroMQSocket, url: str, events: Monitor, refused: Callable[[str], None] = _ignore
) -> None:
    """Wait until messages can go over it; ``refused`` is told each time that the other side would not.

    libzmq never comes back to an address where it has met a socket of another kind, or other keys than its
    own. What listens there may be another program by and by: so it is told to connect anew.
    """
    explained = broken = False
    while True:
        event: SocketEvent | EventsLost | None = None
        with trio.move_on_after(_SILENCE if broken else math.inf) as silence:
            event = await anext(events, None)
        broken = False
        match event:
            case HandshakeSucceeded():
                return
            case HandshakeFailed(reason=reason):
                explained = True
                refused(reason)
            case Connected():
                explained = False
            case Disconnected():
                broken = True
                if not explained:
                    refused(_ANOTHER_KIND)
            case None if silence.cancelled_caught:
                await socket.disconnect(url)
                await socket.connect(url)
            case None:
                raise trio.ClosedResourceError("this socket is closed")
            case _:
                pass


async def until_down(events: Monitor) -> None:  # noqa: ASYNC910 - internal
    """Wait until it is broken."""
    async for event in events:
        if isinstance(event, Disconnected | EventsLost):  # among those lost there may be one
            return
    raise trio.ClosedResourceError("this socket is closed")


async def keep_up(socket: ZeroMQSocket, url: str, events: Monitor) -> None:  # noqa: ASYNC910 - internal
    """See to it that it is connected again whenever it is not, until it is closed."""
    with suppress(trio.ClosedResourceError):
        while True:
            await until_up(socket, url, events)
            await until_down(events)
