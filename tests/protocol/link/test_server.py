"""The server's table of sessions: who may resume which, and for how long."""

from __future__ import annotations

import logging
import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import DecodeError, InvalidSpec, LinkFault, LinkLost, LinkRefused
from aip_trio.protocol import LinkServer
from aip_trio.protocol.link._frames import Ack, Bye, Frame, Gone, Hello, Welcome
from aip_trio.transport import MemoryTransport
from tests.actors.support import virtual
from tests.protocol.link.links import BOTH, MSGPACK, World, fails, world


async def ask(here: World, hello: Frame) -> tuple[MemoryTransport, Frame]:
    """Say hello on a connection of one's own: the connection, and the answer."""
    physical = await here.raw()
    await physical.send(here.wire.frame(hello))
    return physical, here.wire.read(await physical.receive())


async def begun(here: World) -> tuple[MemoryTransport, Welcome]:
    physical, welcome = await ask(here, Hello())
    assert isinstance(welcome, Welcome)
    await wait_all_tasks_blocked()
    return physical, welcome


@BOTH
@virtual
async def test_a_hello_is_answered_with_a_session_its_secret_and_its_window(subprotocol: str) -> None:
    async with world(subprotocol, window=7.0) as here:
        _, one = await begun(here)
        _, two = await begun(here)
        assert one.session != two.session
        assert one.secret != two.secret
        assert len(bytes.fromhex(one.secret)) == 32
        assert (one.window, one.seen) == (7.0, 0)
        assert len(here.server) == 2


@virtual
async def test_a_resume_takes_over_at_once_from_the_connection_that_it_replaces() -> None:
    async with world() as here:
        old, welcome = await begun(here)
        (link,) = here.links
        await old.send(here.wire.batch(1, 0, [b"one", b"two"]))
        await link.send(b"hello")
        new, answer = await ask(here, Hello(welcome.session, welcome.secret, 0))
        assert isinstance(answer, Welcome)
        assert (answer.session, answer.seen) == (welcome.session, 2)
        assert here.wire.read(await new.receive()) == here.wire.read(here.wire.batch(1, 2, [b"hello"]))
        await new.send(here.wire.batch(3, 1, [b"three"]))
        assert [await link.receive() for _ in range(3)] == [b"one", b"two", b"three"]
        assert not old.is_connected
        assert link.resumptions == 1
        assert len(here.links) == 1


@virtual
async def test_what_the_old_connection_brings_after_a_takeover_counts_no_more() -> None:
    async with world() as here:
        old, welcome = await begun(here)
        (link,) = here.links
        new = await here.raw()
        await new.send(here.wire.frame(Hello(welcome.session, welcome.secret, 0)))
        await old.send(here.wire.batch(1, 0, [b"from the old one"]))  # in the same turn
        answer = here.wire.read(await new.receive())
        assert isinstance(answer, Welcome)
        sent = [b"from the old one", b"and the new one"][answer.seen :]
        await new.send(here.wire.batch(answer.seen + 1, 0, sent))
        assert [await link.receive() for _ in range(2)] == [b"from the old one", b"and the new one"]


@virtual
async def test_of_two_that_resume_at_once_one_gets_it() -> None:
    async with world() as here:
        _, welcome = await begun(here)
        (link,) = here.links
        both = [await here.raw() for _ in range(2)]
        for physical in both:
            await physical.send(here.wire.frame(Hello(welcome.session, welcome.secret, 0)))
        await wait_all_tasks_blocked()
        assert link.attached
        assert sum(physical.is_connected for physical in both) == 1


@virtual
async def test_who_is_overtaken_while_it_is_welcomed_is_told_so() -> None:
    async with world() as here:
        _, welcome = await begun(here)
        hello = here.wire.frame(Hello(welcome.session, welcome.secret, 0))
        slow, fast = [(MemoryTransport(), MemoryTransport()) for _ in range(2)]
        for near, far in (slow, fast):
            near._life.begin()
            near.join(far, here.subprotocol)
            await far.send(hello)
        send, go_on = slow[0].send, trio.Event()

        async def wait(data: bytes | bytearray | memoryview) -> None:
            await go_on.wait()
            await send(data)

        slow[0].send = wait  # type: ignore[method-assign]

        async def overtaken() -> None:
            with pytest.raises(LinkRefused, match="another connection has taken it over"):
                await here.server.accept(slow[0])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(overtaken)
            await wait_all_tasks_blocked()
            assert await here.server.accept(fast[0]) == (here.links[0], True)
            go_on.set()


@BOTH
@virtual
async def test_unknown_wrong_and_expired_are_told_in_the_same_words(subprotocol: str) -> None:
    async with world(subprotocol, window=5.0) as here:
        physical, welcome = await begun(here)
        answers: list[Frame] = []
        for session, secret in (
            ("nobody", welcome.secret),
            (welcome.session, "0" * 64),
            (welcome.session, ""),
            (welcome.session, "ü"),
            ("nobody", ""),
        ):
            answers.append((await ask(here, Hello(session, secret, 0)))[1])
            assert physical.is_connected  # it is not disturbed
        physical.cut()
        await trio.sleep(6)
        answers.append((await ask(here, Hello(welcome.session, welcome.secret, 0)))[1])
        assert isinstance(answers[0], Gone)
        assert all(answer == answers[0] for answer in answers)
        await wait_all_tasks_blocked()
        told = [error.reason for error in here.refused if isinstance(error, LinkRefused)]
        assert told == ["unknown, or over", *["wrong secret"] * 3, "unknown, or over", "unknown, or over"]


@virtual
async def test_secrets_are_neither_logged_nor_in_a_repr(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with world(window=5.0) as here:
            client, _ = await here.open()
            held = here.server._sessions[client.name]
            await ask(here, Hello(client.name, "guess", 0))
            here.physicals[0].cut()
            await trio.sleep(1)
            await here.leave()
            await fails(client.receive())
            assert held.secret
            text = caplog.text + repr(held) + repr(here.server) + repr(client) + repr(here.refused)
            assert held.secret not in text
            assert "guess" not in text


@virtual
async def test_who_has_seen_what_cannot_be_ends_the_session() -> None:
    async with world() as here:
        _, welcome = await begun(here)
        (link,) = here.links
        _, answer = await ask(here, Hello(welcome.session, welcome.secret, 3))
        assert isinstance(answer, Gone)
        lost = await fails(link.receive())
        assert isinstance(lost, LinkLost)
        assert "seen=3" in lost.reason
        assert len(here.server) == 0


@virtual
async def test_a_session_is_resumed_in_the_format_that_it_has() -> None:
    async with world() as here:
        _, welcome = await begun(here)
        await here.network.serve("other", here.handle, subprotocols=[MSGPACK])
        here.subprotocol = MSGPACK
        physical = here.network.transport()
        await physical.connect("memory://other", subprotocols=[MSGPACK])
        await physical.send(here.wire.frame(Hello(welcome.session, welcome.secret, 0)))
        assert isinstance(here.wire.read(await physical.receive()), Gone)
        assert isinstance(await fails(here.links[0].receive()), LinkLost)


@pytest.mark.parametrize(
    "first", [Ack(0), Welcome("s", "x", 1.0), Bye()], ids=lambda frame: type(frame).__name__
)
@virtual
async def test_a_first_frame_that_is_no_hello_is_refused(first: Frame) -> None:
    async with world() as here:
        _, answer = await ask(here, first)
        assert isinstance(answer, Bye)
        assert answer.code == 1002
        await wait_all_tasks_blocked()
        assert isinstance(here.refused[0], LinkFault)
        assert len(here.server) == 0


@pytest.mark.parametrize("data", [b"", b"[" * 100_000, b'{"t":"hello","session":4}'], ids=range(3))
@virtual
async def test_what_is_no_frame_is_refused_as_a_hello(data: bytes) -> None:
    async with world() as here:
        physical = await here.raw()
        await physical.send(data)
        answer = here.wire.read(await physical.receive())
        assert isinstance(answer, Bye)
        await wait_all_tasks_blocked()
        assert isinstance(here.refused[0], DecodeError)


@virtual
async def test_a_client_that_says_nothing_costs_its_connection_and_no_session() -> None:
    async with world() as here:
        physical = await here.raw()
        await trio.sleep(1000)
        assert len(here.server) == 0
        physical.cut()
        client, server = await here.open()
        await client.send(b"fine")
        assert await server.receive() == b"fine"


@virtual
async def test_sessions_that_are_over_leave_the_table() -> None:
    async with world(window=10.0) as here:
        closed, _ = await here.open()
        dismissed, server = await here.open()
        lost, held = await here.open()
        assert len(here.server) == 3
        await closed.close()
        await server.close()
        await wait_all_tasks_blocked()
        assert len(here.server) == 1
        await here.leave()
        await trio.sleep(10)
        assert len(here.server) == 1  # nobody has looked
        here.reachable = True
        await here.open()
        assert len(here.server) == 1
        assert isinstance(await fails(held.receive()), LinkLost)
        assert isinstance(await fails(lost.receive()), LinkLost)
        assert not dismissed.is_connected


@virtual
async def test_a_full_table_makes_room_by_losing_the_one_that_was_detached_for_longest() -> None:
    async with world(window=100.0, max_sessions=3) as here:
        ends = [await begun(here) for _ in range(3)]
        _, refused = await ask(here, Hello())
        assert isinstance(refused, Bye)
        assert refused.code == 1013
        for physical, _ in (ends[1], ends[0]):
            physical.cut()
            await trio.sleep(1)
        await begun(here)
        assert [link.is_connected for link in here.links] == [True, False, True, True]
        assert isinstance(await fails(here.links[1].receive()), LinkLost)


@virtual
async def test_a_session_that_is_never_carried_is_lost_in_time() -> None:
    async with world(window=0.0) as here:
        near, far = MemoryTransport(), MemoryTransport()
        near._life.begin()
        near.join(far, here.subprotocol)
        await far.send(here.wire.frame(Hello()))
        link, resumed = await here.server.accept(near)
        assert not resumed
        assert link.is_connected
        await trio.sleep(10)
        assert isinstance(await fails(link.send(b"x")), LinkLost)
        await link.carry(near)  # too late
        assert not near.is_connected


@virtual
async def test_a_client_that_leaves_before_its_welcome_leaves_nothing_behind() -> None:
    async with world() as here:
        near, far = MemoryTransport(), MemoryTransport()
        near._life.begin()
        near.join(far, here.subprotocol)
        await far.send(here.wire.frame(Hello()))
        await far.close()  # the hello has come, and nothing can be answered
        await fails(here.server.accept(near))
        assert len(here.server) == 0


@pytest.mark.parametrize("window", [-1.0, math.nan, math.inf])
def test_a_window_is_a_finite_time(window: float) -> None:
    with pytest.raises(InvalidSpec, match="window"):
        LinkServer(window=window)


def test_a_table_has_room_for_one() -> None:
    with pytest.raises(InvalidSpec, match="max_sessions"):
        LinkServer(max_sessions=0)
