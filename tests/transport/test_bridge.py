"""The actor between a transport and a mailbox."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.actors import (
    Actor,
    ActorRef,
    ActorSystem,
    Crashed,
    Request,
    handles,
    open_system,
)
from aip_trio.errors import ActorStopped, ConnectFailed, ConnectionLost, TransportClosed, TransportError
from aip_trio.transport import (
    Attach,
    Bridge,
    MemoryTransport,
    Received,
    Transmit,
    Transport,
    TransportState,
    WebSocketTransport,
    serve_websocket,
)
from tests.transport.ends import echo
from tests.transport.network import FakeNetwork

pytestmark = pytest.mark.trio


@attrs.frozen
class All(Request[list[bytes]]):
    """What has come so far."""


class Target(Actor):
    """Takes messages, unless it is held up."""

    def __init__(self, gate: trio.Event) -> None:
        self.gate = gate
        self.got: list[bytes] = []

    @handles
    async def received(self, message: Received) -> None:
        await self.gate.wait()
        self.got.append(message.data)

    @handles
    async def tell_all(self, message: All) -> list[bytes]:
        return self.got


def opened() -> trio.Event:
    gate = trio.Event()
    gate.set()
    return gate


@attrs.define
class World:
    system: ActorSystem
    transport: Transport
    peer: MemoryTransport
    bridge: ActorRef
    target: ActorRef
    crashes: list[BaseException]


async def watch(system: ActorSystem, crashes: list[BaseException]) -> None:
    """Note the crashes."""
    with system.events.subscribe() as events:
        async for event in events:
            if isinstance(event, Crashed):
                crashes.append(event.error)  # noqa: PERF401 - they are looked at meanwhile


@asynccontextmanager
async def world(
    gate: trio.Event | None = None, *, attach: bool = True, capacity: int = 8
) -> AsyncGenerator[World]:
    transport, peer = MemoryTransport.pair()
    crashes: list[BaseException] = []
    async with trio.open_nursery() as nursery, open_system() as system:
        nursery.start_soon(watch, system, crashes)
        await wait_all_tasks_blocked()
        target = await system.spawn(
            Target, opened() if gate is None else gate, name="target", mailbox=capacity
        )
        bridge = await system.spawn(
            Bridge,
            transport,
            target if attach else None,
            name="bridge",
            mailbox=capacity,
            restart="temporary",
        )
        yield World(system, transport, peer, bridge, target, crashes)
        nursery.cancel_scope.cancel()


async def test_what_comes_is_told_to_the_target_and_what_is_told_to_it_is_sent() -> None:
    async with world() as all_of_it:
        for number in range(100):
            await all_of_it.peer.send(b"%d" % number)
            await all_of_it.bridge.tell(Transmit(b"%d" % number))
            assert await all_of_it.peer.receive() == b"%d" % number
        await wait_all_tasks_blocked()
        assert await all_of_it.target.ask(All()) == [b"%d" % number for number in range(100)]


async def test_without_a_target_nothing_is_read_until_one_is_attached() -> None:
    async with world(attach=False) as all_of_it:
        await all_of_it.peer.send(b"early")
        await wait_all_tasks_blocked()
        assert await all_of_it.target.ask(All()) == []
        await all_of_it.bridge.tell(Attach(all_of_it.target))
        await wait_all_tasks_blocked()
        assert await all_of_it.target.ask(All()) == [b"early"]
        second = await all_of_it.system.spawn(Target, opened(), name="second")
        await all_of_it.bridge.tell(Attach(second))
        await wait_all_tasks_blocked()
        await all_of_it.peer.send(b"late")
        await wait_all_tasks_blocked()
        assert await second.ask(All()) == [b"late"]
        assert await all_of_it.target.ask(All()) == [b"early"]


async def test_while_the_targets_mailbox_is_full_the_peer_waits_and_nothing_is_lost() -> None:
    gate = trio.Event()
    async with world(gate) as all_of_it, trio.open_nursery() as nursery:
        sent = 0

        async def send() -> None:
            nonlocal sent
            for number in range(1000):
                await all_of_it.peer.send(b"%d" % number)
                sent += 1

        nursery.start_soon(send)
        await wait_all_tasks_blocked()
        assert sent < 100  # the target's 8, those in hand, and the transport's 64
        gate.set()
        await wait_all_tasks_blocked()
        assert await all_of_it.target.ask(All()) == [b"%d" % number for number in range(1000)]


async def test_while_the_peer_does_not_read_those_who_tell_the_bridge_wait_and_it_still_receives() -> None:
    async with world() as all_of_it, trio.open_nursery() as nursery:
        told = 0

        async def tell() -> None:
            nonlocal told
            for number in range(1000):
                await all_of_it.bridge.tell(Transmit(b"%d" % number))
                told += 1

        nursery.start_soon(tell)
        await wait_all_tasks_blocked()
        assert told < 100
        await all_of_it.peer.send(b"still heard")
        await wait_all_tasks_blocked()
        assert await all_of_it.target.ask(All()) == [b"still heard"]
        assert [await all_of_it.peer.receive() for _ in range(1000)] == [b"%d" % n for n in range(1000)]


async def test_one_stalled_connection_leaves_the_others_alone(autojump_clock: MockClock) -> None:
    async with world(trio.Event()) as stalled, trio.open_nursery() as nursery:

        async def send() -> None:
            while True:
                await stalled.peer.send(b"x")

        nursery.start_soon(send)
        await wait_all_tasks_blocked()
        transport, peer = MemoryTransport.pair()
        target = await stalled.system.spawn(Target, opened(), name="other-target")
        await stalled.system.spawn(Bridge, transport, target, name="other")
        await peer.send(b"fine")
        await wait_all_tasks_blocked()
        assert await target.ask(All()) == [b"fine"]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("cut", [True, False])
async def test_the_end_of_the_connection_is_its_crash(cut: bool) -> None:
    async with world() as all_of_it:
        await all_of_it.peer.send(b"last words")
        if cut:
            all_of_it.peer.cut()
        else:
            await all_of_it.peer.close(1001, "bye")
        await all_of_it.bridge.stopped()
        await wait_all_tasks_blocked()
        (crash,) = all_of_it.crashes
        assert isinstance(crash, ConnectionLost)
        assert crash.code == (1006 if cut else 1001)
        assert await all_of_it.target.ask(All()) == [b"last words"]


async def test_a_transmission_over_a_connection_that_has_ended_is_its_crash() -> None:
    async with world(attach=False) as all_of_it:
        await all_of_it.peer.close()
        await all_of_it.bridge.tell(Transmit(b"x"))
        await all_of_it.bridge.stopped()
        await wait_all_tasks_blocked()
        assert [type(crash) for crash in all_of_it.crashes] == [ConnectionLost]


async def test_its_stop_closes_the_connection() -> None:
    async with world() as all_of_it:
        await all_of_it.bridge.tell(Transmit(b"before it"))
        await wait_all_tasks_blocked()
        await all_of_it.bridge.stop()
        assert all_of_it.transport.state is TransportState.DISCONNECTED
        assert await all_of_it.peer.receive() == b"before it"
        with pytest.raises(ConnectionLost, match="1000"):
            await all_of_it.peer.receive()
        assert all_of_it.crashes == []


async def test_what_incoming_makes_of_a_message_is_told_and_none_is_not() -> None:
    class Upper(Bridge):
        async def incoming(self, data: bytes) -> object | None:
            return None if data == b"skip" else Received(data.upper())

    transport, peer = MemoryTransport.pair()
    async with open_system() as system:
        target = await system.spawn(Target, opened(), name="target")
        await system.spawn(Upper, transport, target, name="bridge")
        for message in (b"one", b"skip", b"two"):
            await peer.send(message)
        await wait_all_tasks_blocked()
        assert await target.ask(All()) == [b"ONE", b"TWO"]


async def test_where_lost_does_not_raise_the_end_of_the_connection_is_no_crash() -> None:
    losses: list[TransportError] = []

    class Quiet(Bridge):
        def lost(self, error: TransportError) -> None:
            losses.append(error)
            self.stop()

    transport, peer = MemoryTransport.pair()
    crashes: list[BaseException] = []
    async with trio.open_nursery() as nursery, open_system() as system:
        nursery.start_soon(watch, system, crashes)
        target = await system.spawn(Target, opened(), name="target")
        bridge = await system.spawn(Quiet, transport, target, name="bridge")
        peer.cut()
        await bridge.stopped()
        await wait_all_tasks_blocked()
        assert [type(error) for error in losses] == [ConnectionLost]
        assert crashes == []
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("quiet", [False, True])
async def test_the_end_of_its_target_is_its_crash_unless_forsaken_does_not_raise(quiet: bool) -> None:
    class Quiet(Bridge):
        def forsaken(self, error: ActorStopped) -> None:
            self.stop()

    transport, peer = MemoryTransport.pair()
    crashes: list[BaseException] = []
    async with trio.open_nursery() as nursery, open_system() as system:
        nursery.start_soon(watch, system, crashes)
        target = await system.spawn(Target, opened(), name="target")
        kind = Quiet if quiet else Bridge
        bridge = await system.spawn(kind, transport, target, name="bridge", restart="temporary")
        await target.stop()
        await peer.send(b"to nobody")
        await bridge.stopped()
        await wait_all_tasks_blocked()
        assert [type(error) for error in crashes] == ([] if quiet else [ActorStopped])
        nursery.cancel_scope.cancel()


class Client(Bridge):
    """Connects as it starts."""

    def __init__(self, url: str, target: ActorRef) -> None:
        super().__init__(WebSocketTransport(), target)
        self.url = url

    async def opened(self) -> None:
        await self.transport.connect(self.url)


async def test_over_websocket_it_is_restarted_with_a_new_connection(autojump_clock: MockClock) -> None:
    network = FakeNetwork()
    async with open_system(environment=network) as system:
        await serve_websocket(echo, port=1)
        target = await system.spawn(Target, opened(), name="target")
        bridge = await system.spawn(Client, "ws://127.0.0.1:1/ws", target, name="bridge")
        for number in range(3):
            await bridge.tell(Transmit(b"%d" % number))
            await wait_all_tasks_blocked()
            network.clients[-1].cut()
            await wait_all_tasks_blocked()
        await bridge.tell(Transmit(b"last"))
        await wait_all_tasks_blocked()
        assert await target.ask(All()) == [b"0", b"1", b"2", b"last"]
        assert len(network.clients) == 4
        await bridge.stop()
        assert all(stream.closed for stream in network.clients)


async def test_where_it_cannot_connect_its_start_fails() -> None:
    async with open_system(environment=FakeNetwork()) as system:
        target = await system.spawn(Target, opened(), name="target")
        with pytest.raises(Exception, match="nobody listens") as raised:
            await system.spawn(Client, "ws://127.0.0.1:1/ws", target, name="bridge", restart="temporary")
        assert isinstance(raised.value.__cause__, ConnectFailed)


async def test_its_stop_waits_for_the_closing_handshake_no_longer_than_close_timeout(
    autojump_clock: MockClock,
) -> None:
    network = FakeNetwork()
    async with open_system(environment=network) as system:
        await serve_websocket(echo, port=1)
        target = await system.spawn(Target, opened(), name="target")
        bridge = await system.spawn(Client, "ws://127.0.0.1:1/ws", target, name="bridge")
        network.clients[0].hold()
        await bridge.stop()
        assert trio.current_time() == 10
        assert network.clients[0].closed


async def test_a_closed_transport_is_a_crash_too() -> None:
    async with world() as all_of_it:
        await all_of_it.transport.close()
        await all_of_it.bridge.stopped()
        await wait_all_tasks_blocked()
        assert [type(crash) for crash in all_of_it.crashes] == [TransportClosed]
