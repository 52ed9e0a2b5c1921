"""How links end: closed by one side, or lost."""

from __future__ import annotations

import logging
from contextlib import suppress

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import (
    ConnectFailed,
    ConnectionLost,
    IllegalTransition,
    InvalidSpec,
    LinkLost,
    TransportClosed,
)
from aip_trio.protocol import LinkLimits, open_link
from aip_trio.transport import TransportState
from tests.actors.support import virtual
from tests.protocol.link.links import fails, receive, world


@pytest.mark.parametrize("who", ["client", "server"])
@virtual
async def test_closing_sends_what_waits_says_goodbye_and_ends_both(who: str) -> None:
    async with world() as here:
        client, server = await here.open()
        one, other = (client, server) if who == "client" else (server, client)
        for number in range(600):
            one.send_nowait(b"%d" % number)
        await other.send(b"never received")
        await one.close(1001, "that was all")
        assert one.state is TransportState.DISCONNECTED
        for call in (one.send(b"x"), one.receive(), one.ping()):
            assert isinstance(await fails(call), TransportClosed)
        with pytest.raises(TransportClosed):
            one.send_nowait(b"x")
        assert await receive(other, 600) == [b"%d" % number for number in range(600)]
        lost = await fails(other.receive())
        assert isinstance(lost, ConnectionLost)
        assert (lost.code, lost.reason) == (1001, "that was all")
        assert isinstance(await fails(other.send(b"x")), ConnectionLost)
        assert other.state is TransportState.DISCONNECTED
        await one.wait_closed()
        await other.wait_closed()
        await one.close()
        await wait_all_tasks_blocked()
        assert len(here.server) == 0
        assert len(here.dialled) == 1
        assert not here.physicals[0].is_connected


@pytest.mark.parametrize("who", ["client", "server"])
@virtual
async def test_closing_before_it_is_carried_is_told_to_the_peer_all_the_same(who: str) -> None:
    async with world() as here:
        here.carry = trio.Event()
        client = await open_link(here.dial)
        if who == "client":
            await client.close()
            here.carry.set()
            await wait_all_tasks_blocked()
            lost = await fails(here.links[0].receive())
        else:
            await wait_all_tasks_blocked()
            await here.links[0].close()
            here.carry.set()
            lost = await fails(client.receive())
        assert isinstance(lost, ConnectionLost)
        assert lost.code == 1000


@virtual
async def test_closing_twice_at_once_and_again_is_harmless() -> None:
    async with world() as here:
        client, _ = await here.open()
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(client.close)
        await client.close()
        assert client.state is TransportState.DISCONNECTED


@virtual
async def test_closing_while_nothing_carries_it_ends_it_here_and_the_peer_finds_it_gone() -> None:
    async with world() as here:
        client, server = await here.open()
        await here.leave()
        await server.close()
        here.reachable = True
        lost = await fails(client.receive())
        assert isinstance(lost, LinkLost)
        assert "no such session" in lost.reason


@virtual
async def test_a_close_takes_no_longer_than_its_time_where_the_peer_does_not_read() -> None:
    limits = LinkLimits(unread_messages=1, close_timeout=3.0)
    async with world(limits=limits) as here:
        client, server = await here.open()
        for _ in range(30):
            client.send_nowait(b"x" * 100_000)
        await wait_all_tasks_blocked()
        before = trio.current_time()
        await client.close()
        assert trio.current_time() - before == 3.0
        assert client.state is TransportState.DISCONNECTED
        assert server.is_connected


@pytest.mark.parametrize("code", [0, 999, 5000])
@virtual
async def test_a_code_that_no_close_frame_may_carry_is_refused(code: int) -> None:
    async with world() as here:
        client, _ = await here.open()
        with pytest.raises(InvalidSpec, match="code"):
            await client.close(code)
        assert client.is_connected


@virtual
async def test_beyond_the_window_both_ends_report_the_loss_once(caplog: pytest.LogCaptureFixture) -> None:
    async with world(window=10.0) as here:
        client, server = await here.open()
        await client.send(b"acknowledged")
        await server.receive()
        await trio.sleep(1)
        await here.leave()
        for _ in range(3):
            await client.send(b"never")
        before = trio.current_time()
        for link, unacknowledged in ((client, 3), (server, 0)):
            lost = await fails(link.receive())
            assert isinstance(lost, LinkLost)
            assert (lost.session, lost.unacknowledged, lost.seconds) == (client.name, unacknowledged, 10.0)
            assert trio.current_time() == before + 10.0
            assert link.state is TransportState.ERROR
            for call in (link.send(b"x"), link.ping(), link.receive_many()):
                again = await fails(call)
                assert isinstance(again, LinkLost)
                assert again is not lost
            await link.wait_closed()
        assert len(here.server) == 0
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == 2
        assert all(client.name in record.getMessage() for record in warnings)


@virtual
async def test_who_waits_to_send_to_ping_or_for_the_end_is_told_of_the_loss_too() -> None:
    async with world(window=10.0, limits=LinkLimits(kept_messages=1)) as here:
        _, server = await here.open()
        await here.leave()
        await server.send(b"kept")
        told: list[str] = []

        async def wait(name: str) -> None:
            if name == "closed":
                await server.wait_closed()
            else:
                call = server.send(b"x") if name == "send" else server.ping(60)
                assert isinstance(await fails(call), LinkLost)
            told.append(name)

        async with trio.open_nursery() as nursery:
            for name in ("send", "ping", "closed"):
                nursery.start_soon(wait, name)
            await trio.sleep(9.9)
            assert not told
            await trio.sleep(0.2)
            assert sorted(told) == ["closed", "ping", "send"]


@virtual
async def test_what_came_before_the_loss_is_received_before_it_is_raised() -> None:
    async with world(window=1.0) as here:
        client, server = await here.open()
        await client.send(b"before")
        await wait_all_tasks_blocked()
        await here.leave()
        await trio.sleep(2)
        assert await server.receive() == b"before"
        assert isinstance(await fails(server.receive()), LinkLost)


@virtual
async def test_with_no_window_a_lost_connection_is_a_lost_session() -> None:
    async with world(window=0.0) as here:
        client, server = await here.open()
        await client.send(b"fine")
        assert await server.receive() == b"fine"
        here.cut()
        for link in (client, server):
            assert isinstance(await fails(link.receive()), LinkLost)
        assert len(here.dialled) == 1


@virtual
async def test_a_client_may_give_up_before_the_servers_window() -> None:
    async with world(window=1000.0) as here:
        client, server = await here.open(window_limit=5.0)
        await here.leave()
        assert isinstance(await fails(client.receive()), LinkLost)
        assert server.is_connected


@virtual
async def test_a_reset_leads_out_of_error_and_a_link_never_connects_again() -> None:
    async with world(window=1.0) as here:
        client, server = await here.open()
        with pytest.raises(IllegalTransition):
            await client.connect("memory://links")
        with pytest.raises(IllegalTransition):
            client.reset()
        await here.leave()
        await fails(client.receive())
        with pytest.raises(IllegalTransition):
            await client.connect("memory://links")
        client.reset()
        assert client.state is TransportState.DISCONNECTED
        assert isinstance(await fails(client.connect("memory://links")), ConnectFailed)
        assert server.state is TransportState.ERROR


@pytest.mark.parametrize("end", ["lost", "closed"])
@virtual
async def test_of_several_that_wait_to_send_none_is_told_that_it_has_sent(end: str) -> None:
    async with world(window=10.0, limits=LinkLimits(kept_messages=1, unread_messages=1)) as here:
        _, server = await here.open()
        if end == "lost":
            await here.leave()
        else:
            for _ in range(70):  # until nothing is read any more
                with trio.move_on_after(1):
                    await server.send(b"x" * 100_000)
        with suppress(trio.WouldBlock):
            server.send_nowait(b"kept")
        errors: list[type[BaseException]] = []

        async def send() -> None:
            errors.append(type(await fails(server.send(b"never"))))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(send)
            await wait_all_tasks_blocked()
            assert not errors
            if end == "closed":
                await server.close()
        assert errors == [LinkLost if end == "lost" else TransportClosed] * 5


@virtual
async def test_a_link_that_was_closed_waits_for_no_other_socket_and_does_not_say_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="aip_trio.protocol")
    async with world() as here:
        client, server = await here.open()
        await server.close()
        await fails(client.receive())
        await wait_all_tasks_blocked()
        assert "waits for another" not in caplog.text
        client, server = await here.open()
        here.cut()
        await wait_all_tasks_blocked()
        assert "waits for another" in caplog.text
