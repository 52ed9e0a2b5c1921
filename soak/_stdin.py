"""The pipe that ties a program to who started it."""

import sys

import trio

__all__ = ["stdin_closed"]


async def stdin_closed() -> None:
    """Return when nobody holds the other end of standard input any more. A checkpoint."""
    async with trio.lowlevel.FdStream(sys.stdin.fileno()) as stdin:
        async for _ in stdin:
            pass
