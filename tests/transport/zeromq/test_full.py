"""At the high-water mark: each kind does what its `WhenFull` says."""

from __future__ import annotations

import pytest
import trio

from aip_trio.transport.zeromq import Kind, WhenFull, ZeroMQSocket
from tests.transport.zeromq.joined import fill, hear_of_subscriptions, joined, until_nothing_comes

LIMIT = 10


@pytest.mark.trio
@pytest.mark.parametrize("kind", [Kind.PUB, Kind.XPUB])
async def test_a_slow_subscriber_misses_messages_and_holds_up_nobody(kind: Kind) -> None:
    async with (
        joined(kind, Kind.SUB, "inproc://full", limit=LIMIT) as (publisher, slow),
        ZeroMQSocket(Kind.SUB, receive_limit=1000) as quick,
    ):
        quick.subscribe(b"")
        await quick.connect("inproc://full")
        hear_of_subscriptions(publisher)
        for number in range(100):
            with trio.fail_after(5):
                await publisher.send([b"%d" % number])
        assert len(await until_nothing_comes(quick)) == 100
        assert await until_nothing_comes(slow) == [[b"%d" % number] for number in range(2 * LIMIT)]


@pytest.mark.trio
@pytest.mark.parametrize("kind", [Kind.PUB, Kind.XPUB])
async def test_no_drop_waits_for_the_slowest_instead(kind: Kind) -> None:
    async with joined(kind, Kind.SUB, limit=LIMIT, no_drop=True) as (publisher, slow):
        hear_of_subscriptions(publisher)
        sent = await fill(publisher, [b"early"])
        assert sent == 2 * LIMIT
        async with trio.open_nursery() as nursery:
            nursery.start_soon(publisher.send, [b"late"])
            with trio.fail_after(5):
                taken = [await slow.receive() for _ in range(sent + 1)]
        assert taken == [[b"early"]] * sent + [[b"late"]]


@pytest.mark.trio
async def test_one_that_takes_no_answers_misses_some_and_holds_up_nobody() -> None:
    async with joined(Kind.REP, Kind.DEALER, limit=LIMIT) as (rep, dealer):
        for number in range(5 * LIMIT):
            with trio.fail_after(5):
                await dealer.send([b"", b"%d" % number])
                await rep.send(await rep.receive())
        assert await until_nothing_comes(dealer) == [[b"", b"%d" % number] for number in range(2 * LIMIT)]


def test_these_are_all_kinds_that_drop() -> None:
    assert {kind for kind in Kind if kind.when_full is WhenFull.DROP_FOR_THAT_PEER} == {
        Kind.PUB,
        Kind.XPUB,
        Kind.REP,
    }


@pytest.mark.trio
@pytest.mark.parametrize("kind", [Kind.PUSH, Kind.DEALER, Kind.PAIR, Kind.ROUTER])
async def test_others_wait_for_room(kind: Kind) -> None:
    other = {Kind.PUSH: Kind.PULL, Kind.ROUTER: Kind.DEALER}.get(kind, kind)
    async with joined(kind, other, limit=LIMIT) as (here, there):
        head: list[bytes] = []
        if kind is Kind.ROUTER:
            await there.send([b"hello"])
            head = [(await here.receive())[0]]
        sent = await fill(here, [*head, b"early"])
        assert sent == 2 * LIMIT
        with pytest.raises(trio.WouldBlock):
            here.send_nowait([*head, b"late"])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.send, [*head, b"late"])
            with trio.fail_after(5):
                taken = [await there.receive() for _ in range(sent + 1)]
        assert taken[-1] == [b"late"]


@pytest.mark.trio
async def test_a_request_waits_for_somebody_to_answer() -> None:
    async with ZeroMQSocket(Kind.REQ) as req, ZeroMQSocket(Kind.REP) as rep:
        with pytest.raises(trio.WouldBlock):
            req.send_nowait([b"question"])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(req.send, [b"question"])
            await req.connect(await rep.bind("tcp://127.0.0.1:*"))
            with trio.fail_after(5):
                assert await rep.receive() == [b"question"]
