"""Telling the other end that a transfer has been given up."""

from __future__ import annotations

from typing import cast

import trio

from aip_trio.errors import TransportError
from aip_trio.messages import FileTransferAbort
from aip_trio.protocol.transfer._intake import CODEC
from aip_trio.transport import Transport

__all__ = ["say_farewell"]

#: Seconds that this may take: the peer may have stopped reading.
_PATIENCE = 2.0


async def say_farewell(
    transport: Transport, filename: str, transfer_id: str | None, error: BaseException
) -> None:
    """Say it, though we be cancelled; of the reason the peer learns no more than its kind."""
    if isinstance(error, TransportError):
        return  # noqa: ASYNC910 - part of a cleanup
    reason = "it was cancelled" if _is_cancelled(error) else type(error).__name__
    message = FileTransferAbort(filename=filename, reason=reason, transfer_id=transfer_id)
    with trio.move_on_after(_PATIENCE, shield=True):
        try:
            await transport.send(CODEC.encode(message))
        except TransportError:  # then it knows by itself
            return  # noqa: ASYNC910 - part of a cleanup


def _is_cancelled(error: BaseException) -> bool:
    """Whether it is no failure: a nursery has a group of what it cancels."""
    if isinstance(error, BaseExceptionGroup):
        return cast("BaseExceptionGroup[BaseException]", error).split(trio.Cancelled)[1] is None
    return isinstance(error, trio.Cancelled)
