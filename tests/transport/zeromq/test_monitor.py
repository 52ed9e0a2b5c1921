from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest
import trio
import zmq
from hypothesis import given, strategies as st

from aip_trio.errors import ZeroMQFailed
from aip_trio.transport.zeromq import (
    Closed,
    Connected,
    Connecting,
    Disconnected,
    EventsLost,
    HandshakeFailed,
    HandshakeSucceeded,
    Kind,
    Listening,
    Monitor,
    SocketEvent,
    ZeroMQSocket,
)
from aip_trio.transport.zeromq._events import read_event
from tests.transport.zeromq.joined import address


async def next_event(monitor: Monitor) -> SocketEvent:
    with trio.fail_after(5):
        event = await anext(monitor)
    assert isinstance(event, SocketEvent)
    return event


async def rest(monitor: Monitor) -> list[object]:
    with trio.fail_after(5):
        return [event async for event in monitor]


@pytest.mark.trio
@pytest.mark.parametrize("scheme", ["tcp", "ipc"])
async def test_both_sides_are_told_of_a_connection_and_of_its_end(scheme: str, tmp_path: Path) -> None:
    async with ZeroMQSocket(Kind.ROUTER) as router, router.monitor() as there:
        url = await router.bind(address(scheme, tmp_path))
        async with ZeroMQSocket(Kind.DEALER) as dealer, dealer.monitor() as here:
            await dealer.connect(url)
            assert await next_event(here) == Connecting(url, 0.0) or scheme == "ipc"
            connected = await next_event(here) if scheme == "tcp" else None
            if connected is not None:
                assert isinstance(connected, Connected)
                assert (connected.url, connected.peer) == (url, url.removeprefix("tcp://"))
            assert isinstance(await next_event(here), HandshakeSucceeded)
            assert await next_event(there) == Listening(url)
            accepted = await next_event(there)
            assert isinstance(accepted, Connected)
            assert accepted.url == url
            assert accepted.peer.startswith("127.0.0.1:" if scheme == "tcp" else "")
            assert await next_event(there) == HandshakeSucceeded(url)
            await dealer.send([b"hello"])
            assert (await router.receive_with_peer()).peer.connection == accepted.connection
        assert await next_event(there) == Disconnected(url, accepted.connection)
        await router.close()
        assert await rest(there) == [Closed(url)]


@pytest.mark.trio
async def test_a_side_that_tries_again_says_when() -> None:
    async with (
        ZeroMQSocket(Kind.DEALER, linger=0, reconnect=0.01) as dealer,
        dealer.monitor() as events,
    ):
        await dealer.connect("tcp://127.0.0.1:9")
        while not isinstance(event := await next_event(events), Connecting) or not event.delay:
            pass
        assert 0.01 <= event.delay < 0.1


@pytest.mark.trio
async def test_a_side_that_shall_not_try_again_does_not() -> None:
    async with (
        ZeroMQSocket(Kind.DEALER, linger=0, reconnect=None) as dealer,
        dealer.monitor() as events,
    ):
        await dealer.connect("tcp://127.0.0.1:9")
        while not isinstance(await next_event(events), Closed):
            pass
        with trio.move_on_after(0.2):
            raise AssertionError(await anext(events))


@pytest.mark.trio
async def test_one_that_speaks_no_zeromq_fails_the_handshake() -> None:
    async with ZeroMQSocket(Kind.ROUTER) as router:
        url = await router.bind("tcp://127.0.0.1:*")
        async with router.monitor() as events:
            stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
            # ZeroMQ's signature, and then a mechanism that there is not.
            await stream.send_all(b"\xff\0\0\0\0\0\0\0\1\x7f\3\0" + b"NOSUCH".ljust(20, b"\0") + bytes(32))
            connected = await next_event(events)
            assert isinstance(connected, Connected)
            failed = await next_event(events)
            assert isinstance(failed, HandshakeFailed)
            assert failed.reason
            await stream.aclose()


@pytest.mark.trio
async def test_any_number_of_monitors_are_told_the_same() -> None:
    async with ZeroMQSocket(Kind.PULL) as pull, pull.monitor() as one:
        async with pull.monitor() as two:
            url = await pull.bind("tcp://127.0.0.1:*")
            assert await next_event(one) == await next_event(two) == Listening(url)
        assert await rest(two) == []
        other = await pull.bind("tcp://127.0.0.1:*")
        assert await next_event(one) == Listening(other)


@pytest.mark.trio
async def test_events_that_nobody_takes_are_bounded_and_counted() -> None:
    async with ZeroMQSocket(Kind.PULL) as pull, pull.monitor(limit=3) as events:
        urls = [await pull.bind("tcp://127.0.0.1:*") for _ in range(10)]
        await pull.close()
        told = await rest(events)
    assert told[0] == EventsLost(2 * len(urls) - 3)
    assert len(told) == 4
    assert set(told[1:]) < {Closed(url) for url in urls}


@pytest.mark.trio
async def test_one_that_waits_for_events_is_cancelled_and_loses_none() -> None:
    async with ZeroMQSocket(Kind.PULL) as pull, pull.monitor() as events:
        with trio.move_on_after(0.05) as scope:
            await anext(events)
        assert scope.cancelled_caught
        url = await pull.bind("tcp://127.0.0.1:*")
        assert await next_event(events) == Listening(url)


@pytest.mark.trio
async def test_a_socket_without_room_for_a_monitor_says_so_and_closes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise zmq.ZMQError(errno.EMFILE)

    async with ZeroMQSocket(Kind.PULL) as pull:
        await pull.bind("tcp://127.0.0.1:*")
        monkeypatch.setattr(pull._socket, "monitor", refuse, raising=False)
        with pytest.raises(ZeroMQFailed, match="monitor failed"):
            async with pull.monitor():
                pass
    assert pull.closed


@given(event=st.integers(0, 2**16 - 1), value=st.integers(-(2**31), 2**31 - 1), url=st.binary())
def test_whatever_libzmq_tells_is_read(event: int, value: int, url: bytes) -> None:
    read = read_event([struct.pack("=Hi", event, value), url])
    assert read is None or isinstance(read, SocketEvent)
