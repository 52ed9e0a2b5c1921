"""Clients that have lost their connection: when they dial, and when they stop."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import Backoff
from aip_trio.errors import (
    LinkLost,
)
from aip_trio.protocol import LinkLimits, LinkServer, LinkState
from tests.actors.support import virtual
from tests.protocol.link.links import fails, receive, world


@virtual
async def test_it_dials_at_once_and_then_as_the_backoff_says() -> None:
    async with world(window=60.0) as here:
        await here.open(backoff=Backoff(initial=1.0, multiplier=2.0, maximum=4.0, jitter=False))
        await here.leave()
        await trio.sleep(13)
        start = here.dialled[1]
        assert [at - start for at in here.dialled[1:]] == [0, 1, 3, 7, 11]


@virtual
async def test_a_connection_that_was_of_no_use_does_not_end_the_backoff() -> None:
    async with world(window=60.0) as here:
        await here.open(backoff=Backoff(initial=1.0, multiplier=2.0, jitter=False))
        start = trio.current_time()
        for _ in range(4):
            here.cut()
            await trio.sleep(10)
        assert [at - start for at in here.dialled[1:]] == [0, 11, 22, 34]


@virtual
async def test_a_connection_that_was_of_use_ends_the_backoff() -> None:
    async with world(window=60.0) as here:
        client, server = await here.open(backoff=Backoff(initial=1.0, multiplier=2.0, jitter=False))
        for _ in range(4):
            here.cut()
            await client.send(b"x")
            await server.receive()
            await trio.sleep(10)
        assert here.dialled[1:] == [0, 10, 20, 30]


@virtual
async def test_the_window_ends_though_nobody_waits() -> None:
    async with world(window=10.0, limits=LinkLimits(resume_timeout=1000.0)) as here:
        client, _ = await here.open()
        here.answers = False
        here.cut()
        await trio.sleep(10.1)
        assert client._session.state is LinkState.LOST
        assert not here.physicals[-1].is_connected


@virtual
async def test_closing_calls_the_dialling_off() -> None:
    async with world(window=1000.0, limits=LinkLimits(resume_timeout=1000.0)) as here:
        client, _ = await here.open()
        here.answers = False
        here.cut()
        await wait_all_tasks_blocked()
        assert here.physicals[-1].is_connected
        await client.close()
        await wait_all_tasks_blocked()
        assert not here.physicals[-1].is_connected


@virtual
async def test_a_break_is_noticed_by_sending_and_by_a_ping_where_nothing_is_read() -> None:
    async with world(window=60.0, limits=LinkLimits(unread_messages=1)) as here:
        client, server = await here.open()
        for number in range(2):
            for _ in range(3):
                await server.send(b"unread")
            await wait_all_tasks_blocked()
            here.cut()
            await trio.sleep(5)
            assert client.resumptions == number
            if number:
                await client.ping(30)
            else:
                await client.send(b"x")
                await trio.sleep(1.1)
            assert client.resumptions == number + 1
        assert len(await receive(client, 6)) == 6


@virtual
async def test_a_backoff_that_is_used_up_is_the_end() -> None:
    async with world(window=600.0) as here:
        client, _ = await here.open(backoff=Backoff(initial=1.0, jitter=False, max_retries=3))
        await here.leave()
        lost = await fails(client.receive())
        assert isinstance(lost, LinkLost)
        assert "4 tries" in lost.reason
        assert len(here.dialled) == 5


@virtual
async def test_a_server_that_accepts_and_says_nothing_is_tried_again() -> None:
    async with world(window=60.0, limits=LinkLimits(resume_timeout=2.0)) as here:
        client, server = await here.open()
        here.answers = False
        here.cut()
        await client.send(b"late")
        await trio.sleep(4)
        here.answers = True
        assert await server.receive() == b"late"
        assert len(here.dialled) == 4
        assert not any(physical.is_connected for physical in here.physicals[:-1])


@virtual
async def test_the_window_ends_the_dialling_wherever_it_is() -> None:
    async with world(window=5.0) as here:
        client, _ = await here.open()
        here.answers = False
        here.cut()
        await wait_all_tasks_blocked()
        assert len(here.dialled) == 2
        before = trio.current_time()
        assert isinstance(await fails(client.receive()), LinkLost)
        assert trio.current_time() - before == 5.0


@virtual
async def test_a_server_that_has_forgotten_the_session_ends_it_at_once() -> None:
    async with world(window=100.0) as here:
        client, _ = await here.open()
        here.server = LinkServer(window=100.0)
        here.cut()
        before = trio.current_time()
        lost = await fails(client.receive())
        assert isinstance(lost, LinkLost)
        assert "no such session" in lost.reason
        assert trio.current_time() == before


@virtual
async def test_the_end_of_the_task_that_carries_it_is_its_loss_not_a_hang() -> None:
    async with world() as here:
        client, server = await here.open()
    assert isinstance(await fails(client.receive()), LinkLost)
    assert not server.attached
