"""Writing a frame, at either end."""

from __future__ import annotations

from contextlib import suppress

import trio

from aip_trio.errors import TransportError
from aip_trio.transport import Transport

__all__ = ["write"]


async def write(transport: Transport, frame: bytes) -> None:  # noqa: ASYNC910 - internal
    """Send a frame that was packed; a checkpoint only where it has to wait.

    Where the connection has gone it goes nowhere, as what was on its way then does.
    """
    try:
        transport.send_nowait(frame)
    except trio.WouldBlock:
        with suppress(TransportError):
            await transport.send(frame)
    except TransportError:
        return  # noqa: ASYNC910 - internal
