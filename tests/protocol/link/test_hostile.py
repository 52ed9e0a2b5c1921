"""Peers that break the rules once they have a session: they lose it, and nobody else anything."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import ConnectionLost, DecodeError, LinkFault, LinkLost, LinkRefused
from aip_trio.protocol import LinkLimits, LinkTransport, open_link
from aip_trio.protocol.link._frames import Ack, Bye, Frame, Gone, Hello, Welcome
from aip_trio.transport import MemoryTransport
from tests.actors.support import virtual
from tests.protocol.link.links import JSON, World, fails, world


async def session(here: World) -> tuple[MemoryTransport, LinkTransport]:
    """A raw peer that has one, and the server's end."""
    physical = await here.raw()
    await physical.send(here.wire.frame(Hello()))
    assert isinstance(here.wire.read(await physical.receive()), Welcome)
    await wait_all_tasks_blocked()
    return physical, here.links[-1]


async def offend(here: World, physical: MemoryTransport, link: LinkTransport, data: bytes) -> LinkLost:
    """Send them: the session is lost, and the peer told."""
    await physical.send(data)
    lost = await fails(link.receive())
    assert isinstance(lost, LinkLost)
    bye = here.wire.read(await physical.receive())
    assert isinstance(bye, Bye)
    assert bye.code == 1002
    await fails(physical.receive())
    assert link.name not in here.server._sessions
    return lost


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", DecodeError),
        (b"no frame", DecodeError),
        (b"\xff\xff", DecodeError),
        (b"[" * 100_000, DecodeError),
        (b'{"t":"b","s":2}\nx', LinkFault),
        (b'{"t":"b","s":1,"a":1}\nx', LinkFault),
        (b'{"t":"a","a":1}', LinkFault),
        (b'{"t":"b","s":1}', LinkFault),
        (b'{"t":"b","s":1}' + b"\nx" * 257, LinkFault),
        (b'{"t":"hello"}', LinkFault),
        (b'{"t":"gone"}', LinkFault),
        (b'{"t":"welcome","session":"s","secret":"x","window":1}', LinkFault),
    ],
    ids=[
        "empty",
        "no-frame",
        "no-text",
        "deep",
        "gap",
        "ack-from-the-future-in-a-batch",
        "ack-from-the-future",
        "no-message",
        "too-many-messages",
        "hello-twice",
        "gone",
        "welcome",
    ],
)
@virtual
async def test_a_frame_that_breaks_the_rules_ends_the_session_and_says_so(
    data: bytes, cause: type[Exception]
) -> None:
    async with world() as here:
        client, server = await here.open()
        lost = await offend(here, *(await session(here)), data)
        assert isinstance(lost.__cause__, cause)
        await client.send(b"others")
        assert await server.receive() == b"others"


@virtual
async def test_a_deeply_nested_message_is_its_readers_business_and_the_link_lives_on() -> None:
    async with world() as here:
        physical, link = await session(here)
        deep = b"[" * 100_000
        await physical.send(here.wire.batch(1, 0, [deep, b"next"]))
        assert [await link.receive(), await link.receive()] == [deep, b"next"]


@virtual
async def test_what_came_before_a_fault_is_received_before_it_is_raised() -> None:
    async with world() as here:
        physical, link = await session(here)
        await physical.send(here.wire.batch(1, 0, [b"one"]))
        await physical.send(b"nonsense")
        await wait_all_tasks_blocked()
        assert await link.receive() == b"one"
        assert isinstance(await fails(link.receive()), LinkLost)


@virtual
async def test_the_same_batch_for_ever_is_received_once() -> None:
    async with world() as here:
        physical, link = await session(here)
        for _ in range(1000):
            await physical.send(here.wire.batch(1, 0, [b"again"]))
            await wait_all_tasks_blocked()
            while not physical._inbox.empty:
                assert isinstance(here.wire.read(await physical.receive()), Ack)
        assert await link.receive_many() == [b"again"]
        assert link.statistics().duplicates == 999


@virtual
async def test_a_peer_that_never_acknowledges_fills_a_bounded_buffer() -> None:
    async with world(limits=LinkLimits(kept_messages=8)) as here:
        physical, link = await session(here)
        for number in range(8):
            await link.send(b"%d" % number)
        with trio.move_on_after(1000) as scope:
            await link.send(b"one more")
        assert scope.cancelled_caught
        await physical.send(here.wire.frame(Ack(1)))
        await link.send(b"one more")


@virtual
async def test_a_peer_that_sends_and_sends_is_not_read_beyond_the_bound() -> None:
    async with world(limits=LinkLimits(unread_messages=100)) as here:
        physical, link = await session(here)
        sent = 0
        with trio.move_on_after(10):
            while True:
                await physical.send(here.wire.batch(sent + 1, 0, [b"x"] * 50))
                sent += 50
        assert link.statistics().received <= 200
        assert sent < 10_000


@pytest.mark.parametrize("code", [1000, 1001, 1011])
@virtual
async def test_a_goodbye_is_an_end_in_order_and_any_other_code_a_loss(code: int) -> None:
    async with world() as here:
        physical, link = await session(here)
        await link.send(b"never acknowledged")
        await physical.send(here.wire.frame(Bye(code, "because")))
        lost = await fails(link.receive())
        if code == 1011:
            assert isinstance(lost, LinkLost)
            assert lost.unacknowledged == 1
        else:
            assert isinstance(lost, ConnectionLost)
            assert lost.code == code
        assert "because" in str(lost)
        await wait_all_tasks_blocked()
        assert not physical.is_connected


# A server that breaks them


async def answered(*answers: Frame | bytes) -> None:
    """Open a link to a server that answers so."""
    async with world() as here:

        async def dial() -> MemoryTransport:
            near, far = MemoryTransport(), MemoryTransport()
            near._life.begin()
            near.join(far, JSON)
            for answer in answers:
                await far.send(answer if isinstance(answer, bytes) else here.wire.frame(answer))
            dialled.append(near)
            return near

        dialled: list[MemoryTransport] = []
        try:
            await open_link(dial)
        finally:
            assert not dialled[0].is_connected


@pytest.mark.parametrize(
    "answer",
    [Gone("no"), Bye(1013, "no"), Ack(0), Hello(), b"no", Welcome("s", "x", 1.0, 5)],
    ids=["gone", "bye", "ack", "hello", "nonsense", "has-seen"],
)
@virtual
async def test_a_server_that_answers_no_welcome_gets_no_link(answer: Frame | bytes) -> None:
    with pytest.raises(LinkRefused):
        await answered(answer)


@virtual
async def test_a_server_that_welcomes_to_another_session_is_tried_again_until_the_window_ends() -> None:
    async with world(window=10.0) as here:
        client, _ = await here.open()
        here.answers = False
        here.cut()
        asked = 0
        while client.is_connected:
            await wait_all_tasks_blocked()
            physical = here.physicals[-1]
            if physical.is_connected:
                assert isinstance(here.wire.read(await physical.receive()), Hello)
                await physical.send(here.wire.frame(Welcome("another", "x", 10.0)))
                asked += 1
            await trio.sleep(0.5)
        assert 5 < asked < 12
        assert isinstance(await fails(client.receive()), LinkLost)


@virtual
async def test_frames_of_the_server_are_checked_as_well() -> None:
    async with world() as here:
        client, _ = await here.open()
        await here.physicals[0].send(b'{"t":"b","s":9}\nx')
        lost = await fails(client.receive())
        assert isinstance(lost, LinkLost)
        assert isinstance(lost.__cause__, LinkFault)
        assert isinstance(await fails(here.links[0].receive()), LinkLost)
