"""What waits for a peer: it is counted to the byte, and one that reads again hears why it is closed."""

from __future__ import annotations

from contextlib import suppress

import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked
from wsproto.events import CloseConnection, TextMessage

from aip_trio.actors import open_system
from aip_trio.errors import PeerTooSlow, TransportError
from aip_trio.transport import WebSocketTransport, serve_websocket
from aip_trio.transport._outbox import Outbox, Parcel
from tests.transport.network import FakeNetwork, stream_pair
from tests.transport.raw import RawPeer, knock

SIZES = st.integers(0, 300)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), SIZES),
        st.tuples(st.just("put"), SIZES),
        st.tuples(st.just("replace"), SIZES),
        st.tuples(st.just("cancel"), st.integers(0, 5)),
        st.tuples(st.just("read"), SIZES),
        st.tuples(st.just("part"), SIZES),
    ),
    max_size=30,
)


@given(STEPS, st.booleans())
def test_what_waits_is_counted_to_the_byte(steps: list[tuple[str, int]], cut: bool) -> None:
    async def main() -> None:
        here, there = stream_pair(capacity=100)
        crowded: list[int] = []
        async with trio.open_nursery() as nursery:
            outbox = Outbox(
                here, nursery, lambda: None, most=500, crowded=lambda: crowded.append(outbox.waiting)
            )
            scopes: list[trio.CancelScope] = []
            ping: Parcel | None = None

            async def write(step: str, size: int, scope: trio.CancelScope) -> None:
                with scope, suppress(trio.BrokenResourceError):
                    await (outbox.part if step == "part" else outbox.write)(b"x" * size)

            for step, value in steps:
                if step in ("write", "part"):
                    scopes.append(trio.CancelScope())
                    nursery.start_soon(write, step, value, scopes[-1])
                elif step == "put":
                    outbox.put(b"x" * value)
                elif step == "replace":
                    ping = outbox.put(b"x" * value, ping)
                elif step == "cancel" and value < len(scopes):
                    scopes[value].cancel()
                elif step == "read" and there.incoming.data:
                    await there.receive_some(value + 1)
                await wait_all_tasks_blocked()
                assert outbox.waiting == sum(len(parcel.data) for parcel in outbox._queue)
                assert all(waiting > 500 for waiting in crowded)
                assert (outbox.hopeless_at < float("inf")) is (outbox.waiting > 500)
            if cut:
                here.cut()
            else:
                while there.incoming.data:
                    await there.receive_some(10_000)
                    await wait_all_tasks_blocked()
            await wait_all_tasks_blocked()
            assert cut or outbox.waiting == 0
            outbox.close()
            assert outbox.waiting == 0
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock())


def test_a_peer_that_begins_to_read_hears_why_it_is_closed() -> None:
    ended: list[tuple[float, TransportError]] = []

    async def talk(transport: WebSocketTransport) -> None:
        async def say(letter: str) -> None:
            try:
                await transport.send(letter.encode() * 100_000)
            except TransportError as error:
                ended.append((trio.current_time(), error))

        async with trio.open_nursery() as nursery:
            for letter in "abc":
                nursery.start_soon(say, letter)

    async def main() -> None:
        async with open_system(environment=FakeNetwork()):
            server = await serve_websocket(talk, port=1, queued_bytes=150_000, ping_interval=None)
            peer = await knock(server)
            assert isinstance(peer, RawPeer)
            await trio.sleep(5.5)
            texts = ""
            while not isinstance(event := await peer.event(), CloseConnection):
                assert isinstance(event, TextMessage)
                texts += event.data
            assert len(set(texts)) == 1  # the message that had begun is whole, and no other follows
            assert len(texts) == 100_000
            assert event.code == 1008
            assert "300" in str(event.reason)  # kilobytes
            await peer.eof()
            await server.close()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [when for when, _ in ended] == [5.5, 5.5]
    assert all(isinstance(error, PeerTooSlow) for _, error in ended)


def test_a_peer_that_takes_a_little_at_a_time_is_hopeless_all_the_same() -> None:
    """A byte each second, of what waits: less than 64 KiB in 5 s."""

    async def talk(transport: WebSocketTransport) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(transport.send, b"x" * 200_000)

    async def main() -> None:
        async with open_system(environment=FakeNetwork()):
            server = await serve_websocket(
                talk, port=1, queued_bytes=150_000, ping_interval=None, ping_timeout=None
            )
            peer = await knock(server)
            assert isinstance(peer, RawPeer)
            while server.statistics().connections:
                await trio.sleep(1)
                await peer.stream.receive_some(1)
            assert trio.current_time() < 10
            await server.close()

    trio.run(main, clock=MockClock(autojump_threshold=0))
