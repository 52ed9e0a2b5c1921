"""Sending where nobody waits: past the scheduler, but past no other sender and no `send` of one's own."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from aip_trio.errors import ConnectionLost
from aip_trio.transport import MemoryTransport, WebSocketTransport, serve_websocket
from aip_trio.transport._plain import plain, read, write

BIG = b"x" * 8_000_000


@asynccontextmanager
async def connected(
    client: WebSocketTransport,
) -> AsyncGenerator[tuple[WebSocketTransport, WebSocketTransport]]:
    """This client, and the server's end of its connection."""
    send, receive = trio.open_memory_channel[WebSocketTransport](1)

    async def handle(transport: WebSocketTransport) -> None:
        await send.send(transport)
        await transport.wait_closed()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            server = await serve_websocket(handle, nursery=nursery, close_timeout=0.1)
            async with client:
                await client.connect(server.url)
                yield client, await receive.receive()
            nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_it_goes_out_at_once_and_without_a_turn_of_the_scheduler() -> None:
    async with connected(WebSocketTransport()) as (client, server):
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(count)
            await trio.lowlevel.checkpoint()
            before = turns
            for number in range(10):
                client.send_nowait(b"%d" % number)
            assert turns == before
            assert [await server.receive() for _ in range(10)] == [b"%d" % number for number in range(10)]
            server.send_nowait(b"\xff")
            assert await client.receive() == b"\xff"
            nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_it_passes_nobody_who_waits_and_what_the_system_did_not_take_goes_out_whole() -> None:
    async with connected(WebSocketTransport()) as (client, server):
        client.send_nowait(BIG)  # the system takes a part of it
        with pytest.raises(trio.WouldBlock):
            client.send_nowait(b"second")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send, b"second")
            assert await server.receive() == BIG
            assert await server.receive() == b"second"
        client.send_nowait(b"third")
        assert await server.receive() == b"third"


@pytest.mark.trio
async def test_without_a_connection_it_leaves_it_to_send_to_say_so() -> None:
    client = WebSocketTransport()
    with pytest.raises(trio.WouldBlock):
        client.send_nowait(b"too early")
    async with connected(client):
        pass
    with pytest.raises(trio.WouldBlock):
        client.send_nowait(b"too late")


@pytest.mark.trio
async def test_that_the_connection_is_broken_is_found_out_by_the_next_call() -> None:
    async with connected(WebSocketTransport(close_timeout=0.1)) as (client, server):
        client.send_nowait(b"fine")
        assert await server.receive() == b"fine"
        await server.drop()
        with pytest.raises(ConnectionLost):
            while True:
                try:
                    client.send_nowait(b"into the void")
                except trio.WouldBlock:
                    await client.send(b"into the void")
                await trio.lowlevel.checkpoint()


@pytest.mark.trio
async def test_a_transport_with_a_send_of_its_own_is_not_passed_by() -> None:
    class Logged(WebSocketTransport):
        async def send(self, data: bytes | bytearray | memoryview) -> None:
            sent.append(bytes(data))
            await super().send(data)

    sent: list[bytes] = []
    async with connected(Logged()) as (client, _):
        with pytest.raises(trio.WouldBlock):
            client.send_nowait(b"unseen")
        await client.send(b"seen")
    assert sent == [b"seen"]


def test_a_transport_that_knows_no_such_way_always_has_send_called() -> None:
    with pytest.raises(trio.WouldBlock):
        MemoryTransport().send_nowait(b"x")


# Beneath it: a plain socket


@asynccontextmanager
async def sockets() -> AsyncGenerator[tuple[trio.socket.SocketType, trio.socket.SocketType]]:
    """Two ends."""
    left, right = trio.socket.socketpair()
    with left, right, trio.fail_after(5):
        yield left, right


@pytest.mark.trio
async def test_a_read_waits_for_what_comes_and_for_the_end() -> None:
    async with sockets() as (left, right):
        async with trio.open_nursery() as nursery:

            async def later() -> None:
                await trio.testing.wait_all_tasks_blocked()
                assert write(right, b"hello") == 5

            nursery.start_soon(later)
            assert await read(left, 3) == b"hel"
            assert await read(left, 100) == b"lo"
        right.shutdown(socket.SHUT_WR)
        assert await read(left, 100) == b""


@pytest.mark.trio
async def test_a_cancelled_read_takes_nothing() -> None:
    async with sockets() as (left, right):
        write(right, b"hello")
        with trio.CancelScope() as scope:
            scope.cancel()
            await read(left, 100)
        assert scope.cancelled_caught
        assert await read(left, 100) == b"hello"


@pytest.mark.trio
async def test_a_write_takes_what_there_is_room_for() -> None:
    async with sockets() as (left, _):
        assert 0 < write(left, BIG) < len(BIG)
        assert write(left, BIG) == 0


@pytest.mark.trio
async def test_a_closed_socket_and_a_broken_one_are_told_apart() -> None:
    async with sockets() as (left, right):
        right.close()
        with pytest.raises(trio.BrokenResourceError):
            write(left, b"x")
        left.close()
        with pytest.raises(trio.ClosedResourceError):
            write(left, b"x")
        with pytest.raises(trio.ClosedResourceError):
            await read(left, 1)


@pytest.mark.trio
async def test_only_a_tcp_stream_is_plain() -> None:
    async with sockets() as (left, _):
        stream = trio.SocketStream(left) if left.type == socket.SOCK_STREAM else None
        assert stream is not None
        assert plain(stream) is left
        assert plain(trio.testing.memory_stream_pair()[0]) is None
