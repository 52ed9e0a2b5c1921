from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import InvalidFrames, OutOfStep, PeerGone, UsageError, WrongKind
from aip_trio.transport.zeromq import Kind, WhenFull, ZeroMQSocket
from tests.transport.zeromq.joined import SCHEMES, address, joined

pytestmark = pytest.mark.trio


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_message_arrives_with_all_its_frames(scheme: str, tmp_path: Path) -> None:
    async with joined(Kind.PULL, Kind.PUSH, address(scheme, tmp_path)) as (pull, push):
        for message in (
            [b""],
            [b"one"],
            [b"", b"two", b""],
            [bytes([n]) for n in range(200)],
            [b"x" * 10**6],
        ):
            await push.send(message)
            assert await pull.receive() == message


async def test_frames_may_be_any_bytes_and_are_copied() -> None:
    async with joined(Kind.PULL, Kind.PUSH) as (pull, push):
        changed = bytearray(b"before")
        await push.send((changed, memoryview(b"view")[1:3], b"bytes"))
        changed[:] = b"after!"
        assert await pull.receive() == [b"before", b"ie", b"bytes"]


@pytest.mark.parametrize(
    "frames",
    [
        [],
        b"bare",
        "text",
        ["text"],
        [b"first", "second"],
        [b"", 1],
        [b"", None],
        [b"", memoryview(b"abcd")[::2]],
    ],
)
async def test_what_is_no_message_is_refused_whole(frames: list[bytes]) -> None:
    async with joined(Kind.PULL, Kind.PUSH) as (pull, push):
        with pytest.raises(InvalidFrames, match=r": .*give"):
            await push.send(frames)
        with pytest.raises(InvalidFrames):
            push.send_nowait(frames)
        # No half of it waits to be joined to the next one.
        await push.send([b"next"])
        assert await pull.receive() == [b"next"]


@pytest.mark.parametrize("kind", [kind for kind in Kind if not kind.receives])
async def test_a_kind_that_does_not_receive_says_so(kind: Kind) -> None:
    async with ZeroMQSocket(kind) as socket:
        for call in (socket.receive, socket.receive_many, socket.receive_with_peer):
            with pytest.raises(WrongKind, match=f"a {kind.name} socket does not receive: take .*DEALER"):
                await call()
        with pytest.raises(WrongKind):
            socket.receive_nowait()


@pytest.mark.parametrize("kind", [kind for kind in Kind if not kind.sends])
async def test_a_kind_that_does_not_send_says_so(kind: Kind) -> None:
    assert kind.when_full is WhenFull.NEVER_SENDS
    async with ZeroMQSocket(kind) as socket:
        with pytest.raises(WrongKind, match=f"a {kind.name} socket does not send: take .*DEALER"):
            await socket.send([b""])
        with pytest.raises(WrongKind):
            socket.send_nowait([b""])


@pytest.mark.parametrize("kind", Kind)
async def test_only_sub_subscribes(kind: Kind) -> None:
    async with ZeroMQSocket(kind) as socket:
        for call in (socket.subscribe, socket.unsubscribe):
            if kind is Kind.SUB:
                call(b"topic")
            else:
                with pytest.raises(WrongKind, match="take SUB"):
                    call(b"topic")


async def test_sub_receives_what_it_has_subscribed_to_and_no_more() -> None:
    async with joined(Kind.XPUB, Kind.SUB) as (xpub, sub):
        assert await xpub.receive() == [b"\x01"]
        sub.unsubscribe(b"")
        sub.subscribe(b"ab")
        assert [await xpub.receive(), await xpub.receive()] == [[b"\x00"], [b"\x01ab"]]
        for topic in (b"a", b"abc", b"b", b"ab"):
            await xpub.send([topic, b"text"])
        assert [(await sub.receive())[0] for _ in range(2)] == [b"abc", b"ab"]


async def test_request_and_reply_take_turns() -> None:
    async with joined(Kind.REP, Kind.REQ) as (rep, req):
        with pytest.raises(OutOfStep, match="a REQ socket cannot receive now: send first, or take DEALER"):
            await req.receive()
        with pytest.raises(OutOfStep, match="a REP socket cannot send now: receive first, or"):
            await rep.send([b"reply"])
        await req.send([b"request"])
        with pytest.raises(OutOfStep):
            req.send_nowait([b"request"])
        assert await rep.receive() == [b"request"]
        with pytest.raises(OutOfStep):
            rep.receive_nowait()
        await rep.send([b"reply"])
        assert await req.receive_many() == [[b"reply"]]


async def test_receiving_many_keeps_the_request_that_ends_a_turn() -> None:
    async with joined(Kind.REP, Kind.REQ) as (rep, req):
        await req.send([b"request"])
        assert await rep.receive_many() == [[b"request"]]
        await rep.send([b"reply"])
        (delivery,) = await req.receive_many_with_peer()
        assert delivery.frames == [b"reply"]


async def test_a_router_names_its_peers_and_knows_who_has_gone() -> None:
    async with ZeroMQSocket(Kind.ROUTER) as router:
        url = await router.bind("tcp://127.0.0.1:*")
        async with ZeroMQSocket(Kind.DEALER, routing_id=b"me") as dealer:
            await dealer.connect(url)
            await dealer.send([b"", b"question"])
            assert await router.receive() == [b"me", b"", b"question"]
            await router.send([b"me", b"answer"])
            assert await dealer.receive() == [b"answer"]
            with pytest.raises(PeerGone) as gone:
                await router.send([b"you", b"answer"])
            assert gone.value.peer == b"you"
        async with router.monitor():
            with trio.fail_after(5):
                while True:
                    try:
                        router.send_nowait([b"me", b"late"])
                    except PeerGone:
                        break
                    await trio.sleep(0.001)


async def test_a_message_for_a_router_to_send_has_a_name_and_more() -> None:
    async with joined(Kind.ROUTER, Kind.DEALER) as (router, _):
        with pytest.raises(InvalidFrames, match="routing id"):
            await router.send([b"me"])


async def test_receiving_many_takes_what_has_come_up_to_its_limit() -> None:
    async with joined(Kind.PULL, Kind.PUSH) as (pull, push):
        for number in range(300):
            await push.send([b"%d" % number])
        first, second = await pull.receive_many(), await pull.receive_many()
        assert (len(first), len(second)) == (256, 44)
        assert first + second == [[b"%d" % number] for number in range(300)]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_whom_a_message_came_from(scheme: str, tmp_path: Path) -> None:
    async with joined(Kind.ROUTER, Kind.DEALER, address(scheme, tmp_path)) as (router, dealer):
        await dealer.send([b"hello"])
        delivery = await router.receive_with_peer()
        assert delivery.frames[1] == b"hello"
        assert (delivery.peer.host == "127.0.0.1") == (scheme == "tcp")
        assert (delivery.peer.connection > 0) == (scheme != "inproc")
        assert delivery.peer.key == ""


async def test_nothing_to_receive_and_no_room_to_send_would_block() -> None:
    async with ZeroMQSocket(Kind.DEALER) as socket:
        with pytest.raises(trio.WouldBlock):
            socket.receive_nowait()
        with pytest.raises(trio.WouldBlock):
            socket.send_nowait([b"nobody is there"])


async def test_a_closed_socket_does_nothing_more() -> None:
    async with ZeroMQSocket(Kind.DEALER) as socket:
        assert not socket.closed
    assert socket.closed
    await socket.close()
    for call in (
        socket.receive,
        socket.receive_many,
        socket.receive_with_peer,
        socket.receive_many_with_peer,
    ):
        with pytest.raises(trio.ClosedResourceError, match="make a new one"):
            await call()
    for url in (socket.bind, socket.connect, socket.unbind, socket.disconnect):
        with pytest.raises(trio.ClosedResourceError):
            await url("tcp://127.0.0.1:1")
    with pytest.raises(trio.ClosedResourceError):
        await socket.send([b""])
    with pytest.raises(trio.ClosedResourceError):
        socket.send_nowait([b""])
    with pytest.raises(trio.ClosedResourceError):
        socket.receive_nowait()
    with pytest.raises(trio.ClosedResourceError):
        async with socket.monitor():
            pass
    async with ZeroMQSocket(Kind.SUB) as sub:
        pass
    with pytest.raises(trio.ClosedResourceError):
        sub.subscribe(b"")


async def test_what_the_caller_does_wrong_is_a_usage_error() -> None:
    for error in (InvalidFrames, OutOfStep, WrongKind):
        assert issubclass(error, UsageError)
    assert not issubclass(PeerGone, UsageError)


@pytest.mark.parametrize("with_peer", [False, True])
async def test_a_message_that_is_waited_for_comes_alone_and_the_next_call_has_those_behind_it(
    with_peer: bool,
) -> None:
    calls: list[list[list[bytes]]] = []
    async with joined(Kind.PULL, Kind.PUSH) as (pull, push):

        async def receive() -> None:
            for _ in range(2):
                if with_peer:
                    calls.append([delivery.frames for delivery in await pull.receive_many_with_peer()])
                else:
                    calls.append(await pull.receive_many())

        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                await wait_all_tasks_blocked()
                for number in range(3):
                    push.send_nowait([bytes([number])])
    assert calls == [[[b"\0"]], [[b"\1"], [b"\2"]]]
