"""Links over a network in memory that can be cut, and be away."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import Backoff, open_system
from aip_trio.errors import ConnectFailed, PeerError, TransportError
from aip_trio.protocol import LinkLimits, LinkServer, LinkTransport, open_link
from aip_trio.protocol.link._wire import Wire, wire_of
from aip_trio.transport import MemoryNetwork, MemoryTransport, Transport

__all__ = ["BOTH", "JSON", "MSGPACK", "URL", "World", "fails", "receive", "world"]

JSON, MSGPACK = "aip.v2+json", "aip.v2+msgpack"
BOTH = pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
URL = "memory://links"

E = TypeVar("E", bound=BaseException)


def _set() -> trio.Event:
    event = trio.Event()
    event.set()
    return event


@attrs.define(eq=False)
class World:
    """A server of links, and what it has met."""

    server: LinkServer
    subprotocol: str = JSON
    network: MemoryNetwork = attrs.field(factory=MemoryNetwork)
    limits: LinkLimits = attrs.field(factory=LinkLimits)
    #: the server's ends, each once
    links: list[LinkTransport] = attrs.field(factory=list[LinkTransport])
    #: every connection, at the server's end
    physicals: list[MemoryTransport] = attrs.field(factory=list[MemoryTransport])
    #: what `accept` raised
    refused: list[PeerError] = attrs.field(factory=list[PeerError])
    #: whether a client gets through
    reachable: bool = True
    #: whether the server says anything
    answers: bool = True
    #: set: accepted links are carried
    carry: trio.Event = attrs.field(factory=_set)
    #: when clients dialled
    dialled: list[float] = attrs.field(factory=list[float])

    async def handle(self, physical: MemoryTransport) -> None:
        self.physicals.append(physical)
        if not self.answers:
            await physical.wait_closed()
            return
        try:
            link, resumed = await self.server.accept(physical)
        except PeerError as error:
            self.refused.append(error)
            return
        if not resumed:
            self.links.append(link)
        await self.carry.wait()
        await link.carry(physical)

    async def dial(self) -> Transport:
        self.dialled.append(trio.current_time())
        if not self.reachable:
            raise ConnectFailed(URL, "it is away")
        return await self.raw()

    async def raw(self) -> MemoryTransport:
        """A connection on which nothing has been said."""
        physical = self.network.transport()
        await physical.connect(URL, subprotocols=[self.subprotocol])
        return physical

    async def open(
        self, *, backoff: Backoff | None = None, limits: LinkLimits | None = None, window_limit: float = 1e9
    ) -> tuple[LinkTransport, LinkTransport]:
        """A link: the client's end, and the server's."""
        link = await open_link(
            self.dial,
            backoff=backoff or Backoff(initial=1.0, multiplier=1.0, jitter=False),
            limits=limits or self.limits,
            window_limit=window_limit,
        )
        assert isinstance(link, LinkTransport)
        await wait_all_tasks_blocked()
        return link, self.links[-1]

    def cut(self) -> None:
        """Break the connection that was made last."""
        self.physicals[-1].cut()

    async def leave(self) -> None:
        """Break it, for good until `reachable` again; return when both ends know."""
        self.reachable = False
        self.cut()
        await wait_all_tasks_blocked()

    @property
    def wire(self) -> Wire:
        wire = wire_of(self.subprotocol)
        assert wire is not None
        return wire


@asynccontextmanager
async def world(
    subprotocol: str = JSON,
    *,
    window: float = 10.0,
    limits: LinkLimits | None = None,
    max_sessions: int = 100,
) -> AsyncGenerator[World]:
    limits = limits or LinkLimits()
    async with open_system():
        server = LinkServer(window=window, limits=limits, max_sessions=max_sessions)
        made = World(server, subprotocol, limits=limits)
        await made.network.serve("links", made.handle, subprotocols=[subprotocol])
        yield made


async def fails(call: Awaitable[object], kind: type[E] | None = None) -> TransportError:
    """What a call raises, which is a ConnectionError in any case."""
    with pytest.raises(ConnectionError if kind is None else kind) as raised:
        await call
    error = raised.value
    assert isinstance(error, TransportError)
    return error


async def receive(link: LinkTransport, count: int) -> list[bytes]:
    """The next so many messages."""
    return [await link.receive() for _ in range(count)]
