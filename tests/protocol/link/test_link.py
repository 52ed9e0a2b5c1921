"""Links in memory: what is sent arrives, over any number of connections."""

from __future__ import annotations

from itertools import count

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import Backoff
from aip_trio.errors import (
    InvalidMessage,
    InvalidSpec,
    LinkLost,
    NoSystem,
    TransportBusy,
)
from aip_trio.messages import Format
from aip_trio.protocol import LinkLimits, LinkTransport, open_link
from aip_trio.transport import MemoryTransport
from tests.actors.support import virtual
from tests.protocol.link.links import BOTH, JSON, MSGPACK, fails, receive, world


@BOTH
@virtual
async def test_messages_come_both_ways_as_they_were_sent(subprotocol: str) -> None:
    messages = [b'{"a": 1}', b"", "grüße".encode(), b"x" * 200_000, b"\xff\x00" * 10, b"[" * 5000]
    async with world(subprotocol) as here:
        client, server = await here.open()
        for one, other in ((client, server), (server, client)):
            for message in messages:
                await one.send(message)
            assert await receive(other, len(messages)) == messages
        assert client.name == server.name
        assert client.subprotocol == server.subprotocol == subprotocol
        assert client.format is (Format.JSON if subprotocol == JSON else Format.MSGPACK)


@virtual
async def test_any_kind_of_bytes_is_taken_as_it_is_now_and_nothing_else() -> None:
    async with world(MSGPACK) as here:
        client, server = await here.open()
        data = bytearray(b"abc")
        await client.send(data)
        data[0] = 0xFF
        client.send_nowait(memoryview(data))
        assert await receive(server, 2) == [b"abc", b"\xffbc"]
        for call in (client.send, server.send):
            with pytest.raises(InvalidMessage):
                await call("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        with pytest.raises(InvalidMessage):
            client.send_nowait(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@virtual
async def test_json_with_line_breaks_says_the_same_in_one_line_and_other_lines_are_refused() -> None:
    async with world(JSON) as here:
        client, server = await here.open()
        await client.send(b'{\n  "a": [1,\n 2]\n}')
        assert await server.receive() == b'{   "a": [1,  2] }'
        with pytest.raises(InvalidMessage, match="line breaks"):
            await client.send(b"one\ntwo")
        await client.send(b"fine")
        assert await server.receive() == b"fine"


@BOTH
@virtual
async def test_what_is_sent_while_nothing_carries_it_arrives_later_in_order(subprotocol: str) -> None:
    async with world(subprotocol) as here:
        client, server = await here.open()
        await client.send(b"0")
        await server.send(b"0")
        await here.leave()
        for number in range(1, 400):
            await client.send(b"%d" % number)
            server.send_nowait(b"%d" % number)
        assert client.is_connected
        assert server.is_connected
        assert not client.attached
        assert not server.attached
        here.reachable = True
        everything = [b"%d" % number for number in range(400)]
        assert await receive(server, 400) == everything
        assert await receive(client, 400) == everything
        assert client.resumptions == server.resumptions == 1


@BOTH
@virtual
async def test_cuts_while_both_send_lose_double_and_reorder_nothing(subprotocol: str) -> None:
    everything = [b"%d" % number for number in range(3000)]
    async with world(subprotocol, limits=LinkLimits(kept_messages=100, unread_messages=50)) as here:
        client, server = await here.open(backoff=Backoff(initial=0.0))

        async def send_all(link: LinkTransport) -> None:
            for number, message in enumerate(everything):
                if number % 3:
                    await link.send(message)
                    continue
                try:
                    link.send_nowait(message)
                except trio.WouldBlock:
                    await link.send(message)

        async def receive_all(link: LinkTransport) -> None:
            got: list[bytes] = []
            while len(got) < len(everything):
                got += await link.receive_many()
            assert got == everything
            done.append(link)

        async def cut() -> None:
            for steps in count(1):
                for _ in range(steps % 23):
                    await trio.lowlevel.checkpoint()
                here.cut()
                if len(done) == 2:
                    return

        done: list[LinkTransport] = []
        async with trio.open_nursery() as nursery:
            for link in (client, server):
                nursery.start_soon(send_all, link)
                nursery.start_soon(receive_all, link)
            nursery.start_soon(cut)
        assert len(done) == 2
        assert client.resumptions > 10


@virtual
async def test_what_is_offered_while_one_writes_goes_in_one_frame_and_a_lone_message_at_once() -> None:
    async with world() as here:
        client, server = await here.open()
        frames: list[bytes] = []
        physical = here.physicals[0]
        send = physical.send

        async def noting(data: bytes | bytearray | memoryview) -> None:
            frames.append(bytes(data))
            await send(data)

        physical.send = noting  # type: ignore[method-assign]
        await server.send(b"lone")
        assert [frame.count(b"\n") for frame in frames] == [1]
        for number in range(1000):
            server.send_nowait(b"%d" % number)
        await wait_all_tasks_blocked()
        assert [frame.count(b"\n") for frame in frames] == [1, 256, 256, 256, 232]
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(server.send, b"%d" % number)
        await wait_all_tasks_blocked()
        assert sum(frame.count(b"\n") for frame in frames[5:]) == 50
        assert len(frames) == 7
        assert len(await client.receive_many()) == 1051


@virtual
@pytest.mark.parametrize("takes", [True, False], ids=["taken", "would block"])
async def test_one_answer_to_each_frame_goes_at_once_where_the_connection_takes_it(takes: bool) -> None:
    async with world() as here, trio.open_nursery() as nursery:
        client, server = await here.open()
        physical = here.physicals[0]
        offered: list[bytes] = []

        def at_once(data: bytes | bytearray | memoryview) -> None:
            offered.extend(bytes(data).split(b"\n")[1:])  # the messages of a batch
            if not takes:
                raise trio.WouldBlock
            nursery.start_soon(physical.send, bytes(data))

        physical.send_nowait = at_once  # type: ignore[method-assign]
        for asked in range(2):
            server.send_nowait(b"unasked %d" % asked)
            await wait_all_tasks_blocked()
            await client.send(b"question")
            assert await server.receive() == b"question"
            server.send_nowait(b"answer %d" % asked)
            await wait_all_tasks_blocked()
        server.send_nowait(b"more")
        assert offered == [b"answer 0", b"answer 1"]
        assert await receive(client, 4) == [b"unasked 0", b"answer 0", b"unasked 1", b"answer 1"]
        assert await client.receive() == b"more"


@virtual
async def test_who_receives_while_the_connection_goes_is_told_when_the_window_is_over() -> None:
    async with world(window=10.0) as here:
        client, server = await here.open()
        async with trio.open_nursery() as nursery:
            for end in (client, server):
                nursery.start_soon(fails, end.receive(), LinkLost)
            await wait_all_tasks_blocked()
            await here.leave()
            began = trio.current_time()
        assert trio.current_time() - began == pytest.approx(10.0, abs=1.0)


@virtual
async def test_a_send_waits_while_the_peer_has_not_acknowledged_and_the_nowait_one_would_block() -> None:
    limits = LinkLimits(kept_messages=10, unread_messages=20)
    async with world(limits=limits) as here:
        client, server = await here.open()
        await here.leave()
        for number in range(10):
            client.send_nowait(b"%d" % number)
        with pytest.raises(trio.WouldBlock):
            client.send_nowait(b"too much")
        with trio.move_on_after(1) as scope:
            await client.send(b"never sent")
        assert scope.cancelled_caught
        async with trio.open_nursery() as nursery:
            for number in range(10, 15):
                nursery.start_soon(client.send, b"%d" % number)
                await wait_all_tasks_blocked()
            here.reachable = True
            assert await receive(server, 15) == [b"%d" % number for number in range(15)]


@virtual
async def test_a_message_for_which_there_is_room_does_not_overtake_a_larger_one_that_waits() -> None:
    async with world(limits=LinkLimits(kept_bytes=10)) as here:
        client, server = await here.open()
        await here.leave()
        client.send_nowait(b"12345678")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send, b"larger")
            await wait_all_tasks_blocked()
            with pytest.raises(trio.WouldBlock):
                client.send_nowait(b"x")
            nursery.start_soon(client.send, b"x")
            await wait_all_tasks_blocked()
            here.reachable = True
            assert await receive(server, 3) == [b"12345678", b"larger", b"x"]


@virtual
async def test_a_peer_that_does_not_receive_holds_up_the_sender() -> None:
    limits = LinkLimits(kept_messages=10, unread_messages=20)
    async with world(limits=limits) as here:
        client, server = await here.open()
        sent = 0
        async with trio.open_nursery() as nursery:

            async def send_all() -> None:
                nonlocal sent
                for number in range(1000):
                    await client.send(b"%d" % number)
                    sent += 1

            nursery.start_soon(send_all)
            await trio.sleep(5)
            assert 20 <= sent < 200  # what its inbox, the network and our buffer hold
            assert await receive(server, 1000) == [b"%d" % number for number in range(1000)]


@virtual
async def test_acknowledgements_empty_the_buffer_without_any_other_traffic() -> None:
    async with world() as here:
        client, _ = await here.open()
        await client.send(b"x")
        await trio.sleep(0.05)
        assert client.statistics().unacknowledged == 1
        await trio.sleep(0.1)
        statistics = client.statistics()
        assert (statistics.unacknowledged, statistics.bytes, statistics.sent) == (0, 0, 1)


@virtual
async def test_who_reads_no_further_acknowledges_first() -> None:
    async with world(limits=LinkLimits(unread_messages=1)) as here:
        client, _ = await here.open()
        await client.send(b"x")
        await wait_all_tasks_blocked()
        assert trio.current_time() == 0
        assert client.statistics().unacknowledged == 0


@virtual
async def test_a_second_receive_is_an_error_and_a_cancelled_one_loses_nothing() -> None:
    async with world() as here:
        client, server = await here.open()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, server, 1)
            await wait_all_tasks_blocked()
            with pytest.raises(TransportBusy):
                await server.receive_many()
            await client.send(b"for the first")
        with trio.move_on_after(1):
            await server.receive()
        await client.send(b"next")
        assert await server.receive() == b"next"


@virtual
async def test_where_the_server_agrees_to_v1_the_transport_itself_is_returned() -> None:
    async with world("aip.v1") as here:
        client, server = MemoryTransport.pair()

        async def dial() -> MemoryTransport:
            await trio.lowlevel.checkpoint()
            return client

        assert await open_link(dial) is client
        with pytest.raises(InvalidSpec, match="subprotocol"):
            await here.server.accept(server)


@virtual
async def test_outside_of_a_system_there_is_no_home_for_its_task() -> None:
    async def dial() -> MemoryTransport:
        raise AssertionError("nobody dials")

    with pytest.raises(NoSystem, match="open_link"):
        await open_link(dial)
