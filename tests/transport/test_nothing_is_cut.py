"""Many senders, cancelled at any time, a receiver with pauses, pipes of any width: what comes is whole."""

from __future__ import annotations

import attrs
import pytest
import trio
from hypothesis import given, settings, strategies as st
from trio.testing import MockClock

from aip_trio.actors import open_system
from aip_trio.errors import TransportError
from aip_trio.transport import MemoryTransport, WebSocketTransport, serve_websocket
from tests.transport.network import FakeNetwork

pytestmark = pytest.mark.usefixtures("each_codec")


@attrs.frozen
class Send:
    """A message of this size at this time, given up after so many seconds."""

    at: float
    size: int
    patience: float


times = st.integers(0, 20).map(float)
sends = st.builds(
    Send, times, st.sampled_from([0, 1, 50, 200, 1000]), st.sampled_from([0.0, 1.0, 2.0, 1000.0])
)


class Story:
    """What was begun, what was finished, and what came, each in its order."""

    def __init__(self, plan: list[Send], pauses: list[float], closes_at: float) -> None:
        self.plan = plan
        self.pauses = pauses
        self.closes_at = closes_at
        self.begun: list[bytes] = []
        self.sent: list[bytes] = []
        self.got: list[bytes] = []

    async def send(self, transport: WebSocketTransport | MemoryTransport, number: int, send: Send) -> None:
        await trio.sleep(send.at)
        message = b"%d:" % number + b"x" * send.size
        self.begun.append(message)
        with trio.move_on_after(send.patience):
            try:
                await transport.send(message)
            except TransportError:
                assert trio.current_time() >= self.closes_at
            else:
                self.sent.append(message)

    async def receive(self, transport: WebSocketTransport | MemoryTransport) -> None:
        pauses = iter(self.pauses)
        try:
            while True:
                await trio.sleep(next(pauses, 0.0))
                self.got.append(await transport.receive())
        except TransportError:
            pass

    async def act(
        self,
        sender: WebSocketTransport | MemoryTransport,
        receiver: WebSocketTransport | MemoryTransport,
    ) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.receive, receiver)
            for number, send in enumerate(self.plan):
                nursery.start_soon(self.send, sender, number, send)
            await trio.sleep(self.closes_at)
            await sender.close()

    def check(self) -> None:
        assert len(self.got) == len(set(self.got))
        assert set(self.sent) <= set(self.got) <= set(self.begun)
        order = {message: number for number, message in enumerate(self.begun)}
        assert [order[message] for message in self.got] == sorted(order[message] for message in self.got)


plans = given(
    plan=st.lists(sends, min_size=1, max_size=12),
    pauses=st.lists(st.sampled_from([0.0, 1.0, 7.0]), max_size=10),
    closes_at=st.sampled_from([0.0, 5.0, 20.0, 500.0]),
    capacity=st.sampled_from([7, 100, 65536]),
)


@plans
@settings(max_examples=60, deadline=None)
def test_over_websocket(plan: list[Send], pauses: list[float], closes_at: float, capacity: float) -> None:
    story = Story(plan, pauses, closes_at)

    async def main() -> None:
        network = FakeNetwork()
        network.capacity = capacity
        arrived, leave = trio.Event(), trio.Event()
        accepted: list[WebSocketTransport] = []

        async def handler(transport: WebSocketTransport) -> None:
            accepted.append(transport)
            arrived.set()
            await leave.wait()

        async with open_system(environment=network), WebSocketTransport(close_timeout=1e6) as client:
            server = await serve_websocket(handler, port=1)
            await client.connect(server.url)
            await arrived.wait()
            await story.act(client, accepted[0])
            leave.set()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    story.check()


@plans
@settings(max_examples=60, deadline=None)
def test_in_memory(plan: list[Send], pauses: list[float], closes_at: float, capacity: float) -> None:
    story = Story(plan, pauses, closes_at)

    async def main() -> None:
        await story.act(*MemoryTransport.pair())

    trio.run(main, clock=MockClock(autojump_threshold=0))
    story.check()
