"""Connected ends over ZeroMQ, for `TransportConformance` and others."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count

import trio

from aip_trio.transport.zeromq import ZeroMQTransport, serve_zeromq
from aip_trio.transport.zeromq._connection import ZeroMQConnection
from tests.transport.conformance import Ends
from tests.transport.zeromq.relay import Relay

__all__ = ["SCHEMES", "connection_of", "folder", "zeromq_ends"]

SCHEMES = ("tcp", "ipc", "inproc")

_names = count()


@asynccontextmanager
async def folder() -> AsyncGenerator[str]:
    """A folder whose name is short enough for the addresses of files in it."""
    with tempfile.TemporaryDirectory(prefix="aip") as path:
        yield path


def url_of(scheme: str, path: str) -> str:
    """Where to listen."""
    return {
        "tcp": "tcp://127.0.0.1:0",
        "ipc": f"ipc://{path}/served",
        "inproc": f"inproc://served-{next(_names)}",
    }[scheme]


def connection_of(transport: ZeroMQTransport) -> ZeroMQConnection:
    """What a transport that is connected stands on."""
    connection = transport._connection
    assert isinstance(connection, ZeroMQConnection)
    return connection


def give_up(transport: ZeroMQTransport) -> None:
    """End its connection, as one that broke."""
    connection_of(transport).abandon()


async def echo(transport: ZeroMQTransport) -> None:
    while True:
        await transport.send(await transport.receive())


@asynccontextmanager
async def zeromq_ends(scheme: str, under_test: str = "client") -> AsyncGenerator[Ends]:
    """A client and what the server made of it, and a wire between them that can be cut.

    In one process there is no wire: there, one end gives up.
    """
    accepted: list[ZeroMQTransport] = []
    arrived, leave = trio.Event(), trio.Event()

    async def handler(transport: ZeroMQTransport) -> None:
        if accepted:
            await echo(transport)
        accepted.append(transport)
        arrived.set()
        await leave.wait()

    client = ZeroMQTransport(close_timeout=2.0)
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(folder())
        nursery = await stack.enter_async_context(trio.open_nursery())
        server = await serve_zeromq(handler, url_of(scheme, path), nursery=nursery, close_timeout=2.0)
        url: str = server.url
        cut: Callable[[], object] = partial(give_up, client)
        if scheme != "inproc":
            relay = await stack.enter_async_context(Relay.open(server.url, path))
            url, cut = relay.url, relay.cut
        await stack.enter_async_context(client)
        connect = partial(client.connect, url)
        await connect()
        await arrived.wait()
        if under_test == "client":
            yield Ends(client, accepted[0], cut, connect)
        else:
            yield Ends(accepted[0], client, cut)
        leave.set()
        await client.close()
        await server.close()
