"""Cancelled at every checkpoint: open, send, receive, ping, drop, close, accept, carry."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from aip_trio.errors import ConnectionLost, LinkLost, TransportError
from aip_trio.protocol import LinkLimits, LinkTransport, open_link
from aip_trio.protocol.link._frames import Bye, Gone, Hello, Welcome
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport
from tests.protocol.link.links import World, fails, world


async def still_works(here: World) -> None:
    """Another link is undisturbed, and nothing of the old one is left."""
    client, server = await here.open()
    await client.send(b"still")
    assert await server.receive() == b"still"
    await client.close()
    await wait_all_tasks_blocked()
    assert len(here.server) == 0
    assert not any(physical.is_connected for physical in here.physicals)


async def next_error(link: LinkTransport) -> TransportError | None:
    """What the next `receive` raises."""
    try:
        await link.receive()
    except TransportError as error:
        return error
    return None


def test_open_link() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world(window=5.0) as here:
            client = None
            with point:
                client = await open_link(here.dial)
            if client is not None:
                await client.close()
            await trio.sleep(20)  # a session whose client never learned of it ends with its window
            await still_works(here)

    assert cancel_at_every_checkpoint(scenario) >= 3


@pytest.mark.parametrize("detached", [False, True], ids=["attached", "detached"])
def test_send(detached: bool) -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as here:
            client, server = await here.open()
            if detached:
                await here.leave()
            with point:
                await client.send(b"one")
            await client.send(b"last")
            here.reachable = True
            got = [await server.receive()]
            if got != [b"last"]:
                got.append(await server.receive())
            assert got in ([b"one", b"last"], [b"last"])
            assert point.cancelled or len(got) == 2
            await client.close()
            await still_works(here)

    assert cancel_at_every_checkpoint(scenario) >= 1


def test_a_send_that_writes_for_others_is_cancelled_and_their_messages_arrive() -> None:
    async def scenario(point: CancelPoint) -> None:
        limits = LinkLimits(unread_messages=1)
        async with world(limits=limits) as here:
            client, server = await here.open()
            for number in range(70):  # the inbox of the connection is full: writing waits
                await wait_all_tasks_blocked()
                if not client.statistics().queued:
                    client.send_nowait(b"%d" % number)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(others, client)
                await wait_all_tasks_blocked()
                with point:
                    await client.send(b"mine")
            got: list[bytes] = []
            while b"other 2" not in got:
                got += await server.receive_many()
            mine = [message for message in got if message == b"mine"]
            assert len(mine) <= 1
            others_got = [message for message in got if message.startswith(b"other")]
            assert others_got == [b"other 0", b"other 1", b"other 2"]
            assert len(set(got)) == len(got)

    async def others(client: LinkTransport) -> None:
        for number in range(3):
            client.send_nowait(b"other %d" % number)
        await trio.lowlevel.checkpoint()

    assert cancel_at_every_checkpoint(scenario) >= 1


def test_a_cancelled_write_is_made_up_for_on_the_same_connection() -> None:
    """The physical connection sends nothing of what it was cancelled in, or all of it: both are right."""

    async def scenario(goes: bool) -> None:
        async with world() as here:
            client, server = await here.open()
            physical = here.physicals[0]
            send = physical.send

            async def slow(data: bytes | bytearray | memoryview) -> None:
                if goes:
                    await send(data)
                await trio.sleep(1)
                if not goes:
                    await send(data)

            physical.send = slow  # type: ignore[method-assign]
            with trio.move_on_after(0.05) as scope:
                await server.send(b"cancelled")
            assert scope.cancelled_caught
            await server.send(b"next")
            assert [await client.receive(), await client.receive()] == [b"cancelled", b"next"]
            assert client.statistics().duplicates == goes
            assert client.resumptions == 0

    for goes in (False, True):
        trio.run(scenario, goes, clock=MockClock(autojump_threshold=0))


def test_a_send_that_waits_for_room() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world(limits=LinkLimits(kept_messages=2)) as here:
            client, server = await here.open()
            await here.leave()
            for number in range(2):
                await client.send(b"%d" % number)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(reach, here)
                with point:
                    await client.send(b"waiting")
            here.reachable = True
            await client.send(b"last")
            got: list[bytes] = []
            while b"last" not in got:
                got.append(await server.receive())
            assert got in ([b"0", b"1", b"waiting", b"last"], [b"0", b"1", b"last"])

    async def reach(here: World) -> None:
        await trio.sleep(1)
        here.reachable = True

    assert cancel_at_every_checkpoint(scenario) >= 2


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("waits", [False, True])
def test_receive(many: bool, waits: bool) -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as here:
            client, server = await here.open()
            if waits:
                await here.leave()
                here.reachable = True
            await client.send(b"one")
            await client.send(b"two")
            if not waits:
                await wait_all_tasks_blocked()
            got: list[bytes] = []
            with point:
                got += await server.receive_many() if many else [await server.receive()]
            while len(got) < 2:
                got.append(await server.receive())
            assert got == [b"one", b"two"]

    assert cancel_at_every_checkpoint(scenario) >= 1


@pytest.mark.parametrize("call", ["ping", "drop", "wait_closed"])
@pytest.mark.parametrize("detached", [False, True], ids=["attached", "detached"])
def test_looking_after_it(call: str, detached: bool) -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as here, trio.open_nursery() as nursery:
            client, server = await here.open()
            if detached:
                await here.leave()
                here.reachable = True
            with point:
                if call == "wait_closed":
                    nursery.start_soon(client.close)
                await getattr(server, call)()
            if call != "wait_closed":
                await client.send(b"fine")
                assert await server.receive() == b"fine"
                await client.close()
            await wait_all_tasks_blocked()

    assert cancel_at_every_checkpoint(scenario) >= 1


@pytest.mark.parametrize("who", ["client", "server"])
@pytest.mark.parametrize("reads", [True, False], ids=["reads", "does-not-read"])
def test_close(who: str, reads: bool) -> None:
    async def scenario(point: CancelPoint) -> None:
        limits = LinkLimits(unread_bytes=100_000_000) if reads else LinkLimits(unread_messages=1)
        async with world(limits=limits) as here:
            client, server = await here.open()
            one, other = (client, server) if who == "client" else (server, client)
            for _ in range(25):
                one.send_nowait(b"x" * 100_000)
            await wait_all_tasks_blocked()
            with point:
                await one.close()
            assert not one.is_connected
            with pytest.raises(TransportError):
                await one.send(b"x")
            lost: TransportError | None = None
            with trio.fail_after(30):  # the other end learns of it, at the latest when its window ends
                while lost is None:
                    lost = await next_error(other)
            assert point.cancelled or not reads or isinstance(lost, ConnectionLost)
            await still_works(here)

    assert cancel_at_every_checkpoint(scenario) >= 1


@pytest.mark.parametrize("kind", ["begin", "resume", "gone"])
def test_accept(kind: str) -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as here:
            client, _ = await here.open()
            secret = here.server._sessions[client.name].secret
            near, far = MemoryTransport(), MemoryTransport()
            near._life.begin()
            near.join(far, here.subprotocol)
            hello = (
                Hello(client.name, secret if kind == "resume" else "wrong") if kind != "begin" else Hello()
            )
            await far.send(here.wire.frame(hello))
            accepted = None
            with point:
                try:
                    accepted, _ = await here.server.accept(near)
                except ConnectionError:
                    assert kind == "gone"
            if kind == "gone":
                if not point.cancelled:
                    assert isinstance(here.wire.read(await far.receive()), Gone)
            elif accepted is not None:
                assert isinstance(here.wire.read(await far.receive()), Welcome)
                accepted.abandon("it has served")
            await near.close()
            if kind == "resume":
                here.physicals[0].cut()
            if client.is_connected:
                try:
                    await client.ping(60)
                    await client.close()
                except LinkLost:
                    assert accepted is not None
            await still_works(here)

    assert cancel_at_every_checkpoint(scenario) >= 1


def test_carry() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with world() as here:
            near, far = MemoryTransport(), MemoryTransport()
            near._life.begin()
            near.join(far, here.subprotocol)
            await far.send(here.wire.frame(Hello()))
            link, _ = await here.server.accept(near)
            await link.send(b"out")
            await far.send(here.wire.batch(1, 0, [b"in"]))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(part, here, far)
                with point:
                    await link.carry(near)
            assert not near.is_connected
            assert not link.attached
            if link.is_connected:
                await link.close()
            else:
                await fails(link.send(b"x"))
            await still_works(here)

    async def part(here: World, far: MemoryTransport) -> None:
        await trio.sleep(1)
        if far.is_connected:
            await far.send(here.wire.frame(Bye()))

    assert cancel_at_every_checkpoint(scenario) >= 2
