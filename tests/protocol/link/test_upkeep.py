"""Links that are looked after: pings, drops, what is heard, counters."""

from __future__ import annotations

import math

import pytest
import trio

from aip_trio.errors import (
    LinkRefused,
    PeerSilent,
)
from tests.actors.support import virtual
from tests.protocol.link.links import world


@virtual
async def test_a_ping_asks_the_connection_and_waits_for_one_where_there_is_none() -> None:
    async with world(window=60.0) as here:
        client, server = await here.open()
        await client.ping(1)
        await here.leave()
        before = trio.current_time()
        with pytest.raises(PeerSilent, match=r"2\.5"):
            await server.ping(2.5)
        assert trio.current_time() - before == 2.5
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.ping, 30)
            await trio.sleep(1)
            here.reachable = True


@virtual
async def test_a_drop_cuts_the_connection_alone_and_the_session_is_resumed() -> None:
    async with world() as here:
        client, server = await here.open()
        for link in (client, server):
            await link.drop()
            await link.send(b"after")
            assert await (server if link is client else client).receive() == b"after"
        assert client.resumptions == 2
        await here.leave()
        await client.drop()
        assert client.is_connected


@virtual
async def test_the_peer_counts_as_heard_while_the_window_decides() -> None:
    async with world(window=60.0) as here:
        client, server = await here.open()
        await trio.sleep(5)
        assert server.last_heard < trio.current_time()
        await client.send(b"x")
        await server.receive()
        assert server.last_heard == trio.current_time()
        await here.leave()
        await trio.sleep(5)
        assert server.last_heard == trio.current_time()
        await server.close()
        assert -math.inf < server.last_heard <= trio.current_time() - 5


@virtual
async def test_it_counts() -> None:
    async with world(window=60.0) as here:
        client, server = await here.open()
        await client.send(b"abc")
        await server.receive()
        await trio.sleep(1)
        await here.leave()
        client.send_nowait(b"12345")
        statistics = client.statistics()
        assert (statistics.queued, statistics.unacknowledged, statistics.bytes) == (1, 1, 5)
        assert (statistics.sent, statistics.received) == (1, 0)
        here.reachable = True
        await server.receive()
        assert client.statistics().resumptions == server.statistics().resumptions == 1
        assert server.statistics().received == 2
        assert client.peer == "unknown"  # a connection in memory has no name


@virtual
async def test_a_refused_hello_is_told() -> None:
    async with world(max_sessions=1) as here:
        await here.open()
        with pytest.raises(LinkRefused, match="all sessions are taken"):
            await here.open()
        (refused,) = here.refused
        assert "max_sessions=1" in str(refused)
