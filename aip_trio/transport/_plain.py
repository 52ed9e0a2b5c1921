"""Reading and writing a plain TCP socket beneath its Trio stream.

Trio's own calls give the scheduler a turn after each, and read once in vain before they wait. Where messages
go to and fro, one at a time, that is half of what a round trip costs.
"""

from __future__ import annotations

import os

import trio

__all__ = ["plain", "read", "write"]


def plain(stream: object) -> trio.socket.SocketType | None:
    """The socket of a stream that is nothing more than that: no TLS, nothing in memory."""
    return stream.socket if type(stream) is trio.SocketStream else None


async def read(socket: trio.socket.SocketType, most: int) -> bytes:
    """What has come, once something has; nothing: the end. A checkpoint.

    Raises BrokenResourceError, ClosedResourceError.
    """
    while True:
        if socket.fileno() < 0:
            raise trio.ClosedResourceError("this socket is closed")  # noqa: ASYNC910 - it cannot be waited for
        await trio.lowlevel.wait_readable(socket)
        try:
            return os.read(socket.fileno(), most)
        except BlockingIOError:  # woken for nothing
            continue
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from error


def write(socket: trio.socket.SocketType, data: bytes | memoryview) -> int:
    """How many of these bytes the system takes, without waiting. Not a checkpoint.

    Raises BrokenResourceError, ClosedResourceError.
    """
    if socket.fileno() < 0:
        raise trio.ClosedResourceError("this socket is closed")
    try:
        return os.write(socket.fileno(), data)
    except BlockingIOError:
        return 0
    except OSError as error:
        raise trio.BrokenResourceError(str(error)) from error
