"""A transport over ZeroMQ, cancelled at every checkpoint, and its server's side."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count

import attrs
import trio

from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import TransportState
from aip_trio.transport.zeromq import ZeroMQServer, ZeroMQTransport, serve_zeromq
from tests.transport.zeromq.ends import connection_of, echo

_names = count()


@attrs.define
class World:
    server: ZeroMQServer
    accepted: list[ZeroMQTransport]

    async def is_at_peace(self) -> None:
        """No connection is left."""
        with trio.fail_after(5):
            while self.server.statistics().connections:  # noqa: ASYNC110 - nobody is told
                await trio.sleep(0.001)


@asynccontextmanager
async def world(*, reads: bool = True) -> AsyncGenerator[World]:
    accepted: list[ZeroMQTransport] = []

    async def handler(transport: ZeroMQTransport) -> None:
        accepted.append(transport)
        if reads:
            await echo(transport)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        server = await serve_zeromq(handler, f"inproc://cancelled-{next(_names)}", nursery=nursery)
        yield World(server, accepted)
        with trio.move_on_after(0):
            await server.close()


def test_connect() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it:
            async with ZeroMQTransport() as transport:
                with point:
                    await transport.connect(all_of_it.server.url)
                if point.cancelled:
                    assert transport.state is TransportState.ERROR
                    await all_of_it.is_at_peace()  # where no broken wire tells of it
                    with suppress(ConnectionError):
                        await transport.send(b"x")
                        raise AssertionError("it is not connected")
                    transport.reset()
                    await transport.connect(all_of_it.server.url)
                await transport.send(b"hello")
                assert await transport.receive() == b"hello"

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 2


def test_receive() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it, ZeroMQTransport() as transport:
            await transport.connect(all_of_it.server.url)
            await transport.send(b"one")
            await transport.send(b"two")
            got: list[bytes] = []
            with point:
                got.append(await transport.receive())
            while len(got) < 2:
                got.append(await transport.receive())
            assert got == [b"one", b"two"]

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_send_to_a_peer_that_does_not_receive() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world(reads=False) as all_of_it, ZeroMQTransport() as transport:
            await transport.connect(all_of_it.server.url)
            while connection_of(transport)._sender.idle:
                await transport.send(b"early" * 20_000)
            with trio.move_on_after(0.05), point:
                await transport.send(b"in time?")
            (peer,) = all_of_it.accepted
            async with trio.open_nursery() as nursery:
                nursery.start_soon(transport.send, b"last")
                got = [await peer.receive()]
                while got[-1] != b"last":
                    got.append(await peer.receive())
            assert b"in time?" not in got
            assert connection_of(transport)._sender.waiting == 0

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_ping() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it, ZeroMQTransport() as transport:
            await transport.connect(all_of_it.server.url)
            with point:
                await transport.ping()
            await transport.ping()
            assert transport.is_connected

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_close() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as all_of_it, ZeroMQTransport() as transport:
            await transport.connect(all_of_it.server.url)
            with point:
                await transport.close()
            assert transport.state is TransportState.DISCONNECTED
            await transport.wait_closed()
            await all_of_it.is_at_peace()

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_serving_and_closing() -> None:
    async def scenario(point: CancelPoint) -> None:
        url = f"inproc://served-{next(_names)}"
        async with trio.open_nursery() as nursery:
            with point:
                server = await serve_zeromq(echo, url, nursery=nursery)
                async with ZeroMQTransport() as transport:
                    await transport.connect(url)
                    await transport.send(b"hello")
                    await transport.receive()
                    await server.close()
            nursery.cancel_scope.cancel()
        async with trio.open_nursery() as nursery:  # the address is free again
            again = await serve_zeromq(echo, url, nursery=nursery)
            await again.close()

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 5
