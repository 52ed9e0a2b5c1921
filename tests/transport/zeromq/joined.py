"""Pairs of sockets for tests."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from aip_trio.transport.zeromq import HandshakeSucceeded, Kind, ZeroMQSocket

SCHEMES = ("tcp", "ipc", "inproc")

_names = itertools.count()


def address(scheme: str, folder: Path) -> str:
    """Somewhere to listen."""
    if scheme == "tcp":
        return "tcp://127.0.0.1:*"
    return f"{scheme}://{folder}/{next(_names)}" if scheme == "ipc" else f"inproc://{next(_names)}"


@asynccontextmanager
async def joined(
    one: Kind, other: Kind, url: str = "inproc://joined", *, limit: int = 1000, no_drop: bool = False
) -> AsyncGenerator[tuple[ZeroMQSocket, ZeroMQSocket]]:
    """The first listens, the second is connected to it. ``limit``: messages that wait on either side."""
    async with (
        ZeroMQSocket(one, send_limit=limit, receive_limit=limit, linger=0, no_drop=no_drop) as listens,
        ZeroMQSocket(other, send_limit=limit, receive_limit=limit, linger=0) as connects,
    ):
        if other is Kind.SUB:
            connects.subscribe(b"")
        await meet(listens, connects, url)
        yield listens, connects


async def meet(listens: ZeroMQSocket, connects: ZeroMQSocket, url: str) -> None:
    """Connect them, and wait until both know."""
    async with listens.monitor() as there, connects.monitor() as here:
        await connects.connect(await listens.bind(url))
        for events in () if url.startswith("inproc") else (there, here):
            async for event in events:
                if isinstance(event, HandshakeSucceeded):
                    break


async def fill(socket: ZeroMQSocket, frames: list[bytes]) -> int:
    """Send until there is no more room, for a tenth of a second: how often."""
    count = 0
    quiet = 0
    while quiet < 10:
        try:
            socket.send_nowait(frames)
        except trio.WouldBlock:
            quiet += 1
            await trio.sleep(0.01)
        else:
            quiet = 0
            count += 1
    return count


async def until_nothing_comes(socket: ZeroMQSocket) -> list[list[bytes]]:
    """Everything that comes, until nothing has for a tenth of a second."""
    messages: list[list[bytes]] = []
    while True:
        with trio.move_on_after(0.1) as scope:
            messages += await socket.receive_many()
        if scope.cancelled_caught:
            return messages


def hear_of_subscriptions(publisher: ZeroMQSocket) -> None:
    """Have a publisher know who has subscribed inside this process: sending looks once in a millisecond."""
    publisher._readiness._events()
