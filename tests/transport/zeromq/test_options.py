from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import trio
import zmq

from aip_trio.errors import InvalidSpec, WrongKind, ZeroMQFailed
from aip_trio.transport.zeromq import Connected, Disconnected, HandshakeSucceeded, Kind, ZeroMQSocket
from tests.transport.zeromq.joined import joined

pytestmark = pytest.mark.trio

BAD: list[Callable[[], ZeroMQSocket]] = [
    lambda: ZeroMQSocket(Kind.DEALER, send_limit=-1),
    lambda: ZeroMQSocket(Kind.DEALER, send_limit=2**31),
    lambda: ZeroMQSocket(Kind.DEALER, receive_limit=-1),
    lambda: ZeroMQSocket(Kind.DEALER, max_size=0),
    lambda: ZeroMQSocket(Kind.DEALER, linger=-0.1),
    lambda: ZeroMQSocket(Kind.DEALER, linger=math.inf),
    lambda: ZeroMQSocket(Kind.DEALER, linger=math.nan),
    lambda: ZeroMQSocket(Kind.DEALER, routing_id=b"\0reserved"),
    lambda: ZeroMQSocket(Kind.DEALER, routing_id=b"x" * 256),
    lambda: ZeroMQSocket(Kind.DEALER, heartbeat=0),
    lambda: ZeroMQSocket(Kind.DEALER, heartbeat=1e6),
    lambda: ZeroMQSocket(Kind.DEALER, heartbeat_timeout=1),
    lambda: ZeroMQSocket(Kind.DEALER, reconnect=0),
    lambda: ZeroMQSocket(Kind.DEALER, reconnect=1, reconnect_max=0.5),
    lambda: ZeroMQSocket(Kind.DEALER, reconnect=None, reconnect_max=1),
]


@pytest.mark.parametrize("make", BAD)
async def test_an_option_out_of_its_range_is_refused(make: Callable[[], ZeroMQSocket]) -> None:
    with pytest.raises(InvalidSpec, match="give"):
        make()


async def test_an_option_of_another_kind_is_refused() -> None:
    with pytest.raises(WrongKind, match="no_drop"):
        ZeroMQSocket(Kind.PUSH, no_drop=True)
    with pytest.raises(WrongKind, match="handover"):
        ZeroMQSocket(Kind.DEALER, handover=True)


async def test_what_libzmq_does_not_know_is_named() -> None:
    with pytest.raises(ZeroMQFailed, match="setsockopt"):
        ZeroMQSocket(Kind.DEALER, options={12345: 1})


async def test_options_reach_libzmq() -> None:
    async with ZeroMQSocket(
        Kind.DEALER,
        send_limit=7,
        receive_limit=8,
        max_size=9,
        routing_id=b"me",
        heartbeat=0.5,
        reconnect=0.25,
        reconnect_max=2,
        immediate=True,
        options={zmq.TOS: 8},
    ) as socket:
        bare = socket._socket
        told = [
            bare.getsockopt(option)
            for option in (
                zmq.SNDHWM,
                zmq.RCVHWM,
                zmq.MAXMSGSIZE,
                zmq.ROUTING_ID,
                zmq.HEARTBEAT_IVL,
                zmq.HEARTBEAT_TIMEOUT,
                zmq.HEARTBEAT_TTL,
                zmq.RECONNECT_IVL,
                zmq.RECONNECT_IVL_MAX,
                zmq.IMMEDIATE,
                zmq.TOS,
            )
        ]
        assert told == [7, 8, 9, b"me", 500, 1000, 1000, 250, 2000, 1, 8]


async def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    async with ZeroMQSocket(Kind.PULL, max_size=1000) as pull, pull.monitor() as events:
        async with ZeroMQSocket(Kind.PUSH, linger=0, reconnect=None) as push:
            await push.connect(await pull.bind("tcp://127.0.0.1:*"))
            await push.send([b"x" * 1000])
            assert len((await pull.receive())[0]) == 1000
            await push.send([b"x" * 1001])
            with trio.fail_after(5):
                async for event in events:
                    if isinstance(event, Disconnected):
                        break
        with pytest.raises(trio.WouldBlock):
            pull.receive_nowait()


async def test_immediate_waits_for_a_connection_that_is_there() -> None:
    async with (
        ZeroMQSocket(Kind.DEALER, immediate=True, linger=0, reconnect=0.01) as dealer,
        ZeroMQSocket(Kind.DEALER) as server,
    ):
        url = await server.bind("tcp://127.0.0.1:*")
        await server.close()
        await dealer.connect(url)
        await trio.sleep(0.05)
        with pytest.raises(trio.WouldBlock):
            dealer.send_nowait([b"for nobody"])
        async with ZeroMQSocket(Kind.DEALER) as again, trio.open_nursery() as nursery:
            nursery.start_soon(dealer.send, [b"for somebody"])
            await again.bind(url)
            with trio.fail_after(5):
                assert await again.receive() == [b"for somebody"]


@pytest.mark.parametrize("handover", [True, False])
async def test_of_two_peers_with_one_name_the_second_is_ignored_or_takes_over(*, handover: bool) -> None:
    async with ZeroMQSocket(Kind.ROUTER, handover=handover) as router:
        await router.bind("inproc://names")
        async with (
            ZeroMQSocket(Kind.DEALER, routing_id=b"name") as first,
            ZeroMQSocket(Kind.DEALER, routing_id=b"name") as second,
        ):
            for dealer in (first, second):
                await dealer.connect("inproc://names")
                await dealer.send([b"hello"])
                with trio.move_on_after(0.1):
                    assert await router.receive() == [b"name", b"hello"]
            await router.send([b"name", b"answer"])
            with trio.fail_after(5):
                assert await (second if handover else first).receive() == [b"answer"]


async def test_a_peer_that_falls_silent_is_disconnected_by_its_heartbeats() -> None:
    async with ZeroMQSocket(Kind.ROUTER, heartbeat=0.05, heartbeat_timeout=0.1) as router:
        url = await router.bind("tcp://127.0.0.1:*")
        async with router.monitor() as events:
            stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
            # A whole handshake, by hand, and then nothing.
            await stream.send_all(b"\xff\0\0\0\0\0\0\0\1\x7f\3\0" + b"NULL".ljust(20, b"\0") + bytes(32))
            ready = b"\5READY\x0bSocket-Type\0\0\0\6DEALER"
            await stream.send_all(bytes([4, len(ready)]) + ready)
            with trio.fail_after(5):
                told = [type(await anext(events)) for _ in range(3)]
            assert told == [Connected, HandshakeSucceeded, Disconnected]
            await stream.aclose()


async def test_a_pair_of_sockets_talks_with_all_of_it_on() -> None:
    async with (
        ZeroMQSocket(Kind.ROUTER, heartbeat=0.05, handover=True) as router,
        ZeroMQSocket(Kind.DEALER, heartbeat=0.05, immediate=True, routing_id=b"me") as dealer,
    ):
        await dealer.connect(await router.bind("tcp://127.0.0.1:*"))
        for _ in range(3):
            await dealer.send([b"hello"])
            assert await router.receive() == [b"me", b"hello"]
            await trio.sleep(0.15)


async def test_limits_of_none_are_no_limits() -> None:
    async with joined(Kind.PULL, Kind.PUSH, limit=0) as (pull, push):
        for number in range(5000):
            push.send_nowait([b"%d" % number])
        taken = 0
        while taken < 5000:
            taken += len(await pull.receive_many())
