"""Links over WebSocket: on sockets, and on a network in memory that breaks at any byte."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count

import attrs
import pytest
import trio
from trio.testing import MockClock

from aip_trio.actors import Backoff, open_system
from aip_trio.errors import ConnectionLost, LinkLost
from aip_trio.messages import ClientMessage, ClientMessageType, Codec, TaskStatus
from aip_trio.protocol import LinkLimits, LinkServer, LinkTransport, open_link
from aip_trio.transport import Transport, WebSocketTransport, serve_websocket
from tests.protocol.link.links import BOTH, JSON, MSGPACK
from tests.transport.ends import cut
from tests.transport.network import FakeNetwork, FakeStream, Pipe

NOW = Backoff(initial=0.0)


@attrs.define(eq=False)
class Served:
    """A client's end, the server's, and all that has carried them, as the server has it."""

    client: LinkTransport
    server: LinkTransport
    physicals: list[WebSocketTransport]


@asynccontextmanager
async def served(
    subprotocol: str, *, limits: LinkLimits | None = None, port: int = 0, max_size: int = 104857600
) -> AsyncGenerator[Served]:
    """A link in the system that runs."""
    limits = limits or LinkLimits(close_timeout=2.0)
    table = LinkServer(window=30.0, limits=limits)
    links: list[LinkTransport] = []
    physicals: list[WebSocketTransport] = []

    async def handle(physical: WebSocketTransport) -> None:
        physicals.append(physical)
        link, resumed = await table.accept(physical)
        if not resumed:
            links.append(link)
            arrived.set()
        await link.carry(physical)

    arrived = trio.Event()
    server = await serve_websocket(
        handle, port=port, subprotocols=[JSON, MSGPACK], close_timeout=1.0, max_size=max_size
    )

    async def dial() -> Transport:
        physical = WebSocketTransport(close_timeout=1.0)
        await physical.connect(server.url, subprotocols=[subprotocol])
        return physical

    link = await open_link(dial, limits=limits, backoff=NOW)
    assert isinstance(link, LinkTransport)
    await arrived.wait()
    yield Served(link, links[0], physicals)
    await link.close()
    await links[0].wait_closed()
    assert len(table) == 0
    await server.close()


async def exchange(ends: Served, messages: list[bytes]) -> None:
    """Send them both ways at once, and see them come."""

    async def send_all(link: LinkTransport) -> None:
        for number, message in enumerate(messages):
            if number % 5 == 0:
                await link.send(message)
                continue
            try:
                link.send_nowait(message)
            except trio.WouldBlock:
                await link.send(message)

    async def receive_all(link: LinkTransport) -> None:
        got: list[bytes] = []
        while len(got) < len(messages):
            got += await link.receive_many()
        assert got == messages

    async with trio.open_nursery() as nursery:
        for link in (ends.client, ends.server):
            nursery.start_soon(send_all, link)
            nursery.start_soon(receive_all, link)


@BOTH
@pytest.mark.trio
async def test_frames_are_text_or_binary_as_the_format_is(subprotocol: str) -> None:
    async with open_system(), served(subprotocol) as ends:
        assert ends.client.subprotocol == ends.physicals[0].subprotocol == subprotocol
        codec = Codec(ClientMessage, format=ends.client.format)
        message = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK, client_id="d")
        await ends.client.send(codec.encode(message))
        assert codec.decode(await ends.server.receive(), ClientMessage) == message
        await ends.client.ping(5)
        await ends.server.ping(5)
        assert ends.server.peer.startswith("127.0.0.1:")

    kinds: list[type] = []

    async def note(transport: WebSocketTransport) -> None:
        kinds.append(type(await transport.receive_auto()))

    async with open_system():
        server = await serve_websocket(note, subprotocols=[subprotocol])

        async def dial() -> Transport:
            physical = WebSocketTransport()
            await physical.connect(server.url, subprotocols=[subprotocol])
            return physical

        with pytest.raises(ConnectionError):
            await open_link(dial)
        assert kinds == [str if subprotocol == JSON else bytes]
        await server.close()


@BOTH
@pytest.mark.trio
async def test_sockets_are_cut_while_both_send(subprotocol: str) -> None:
    messages = [b'{"n": %d, "x": "%s"}' % (number, b"x" * (number % 700)) for number in range(4000)]
    async with open_system(), served(subprotocol, limits=LinkLimits(kept_messages=500)) as ends:

        async def cut_often() -> None:
            for number in count():
                await trio.sleep(0.002 * (number % 7))
                if ends.client.attached:
                    if number % 3 == 0:
                        await ends.client.drop()
                    else:
                        with suppress(OSError):  # it is cut already, and that is not noticed yet
                            cut(ends.physicals[-1])

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(cut_often)
                await exchange(ends, messages)
                nursery.cancel_scope.cancel()
            await ends.client.ping(20)  # the last cut has been noticed: a goodbye gets through
        assert ends.client.resumptions > 3


class CutNetwork(FakeNetwork):
    """Breaks each connection when one side has written so many bytes: the next one gets twice as far."""

    def __init__(self, side: str) -> None:
        super().__init__()
        self.side = side
        self.limit = 0

    def begin(self, limit: int) -> None:
        """The first connection is made: let it have so many bytes more."""
        self.limit = limit
        (stream,) = self.clients
        pipe = self.pipe(stream)
        pipe.limit = pipe.written + limit
        pipe.at_limit = stream.cut

    def pipe(self, stream: FakeStream) -> Pipe:
        return stream.outgoing if self.side == "client" else stream.incoming

    async def open_tcp_stream(self, host: str, port: int) -> FakeStream:
        stream = await super().open_tcp_stream(host, port)
        if self.limit:
            pipe = self.pipe(stream)
            pipe.limit = self.limit * 2 ** len(self.clients)
            pipe.at_limit = stream.cut
        return stream


@pytest.mark.parametrize("side", ["client", "server"])
@BOTH
def test_a_connection_breaks_after_any_byte(side: str, subprotocol: str) -> None:
    messages = [b'{"n":%d}' % number for number in range(40)]

    async def broken(limit: int) -> int:
        network = CutNetwork(side)
        async with open_system(environment=network), served(subprotocol, port=1) as ends:
            network.begin(limit)
            with trio.fail_after(1000):
                await exchange(ends, messages)
            resumptions = ends.client.resumptions
        assert all(stream.closed for stream in network.clients + network.servers)
        return resumptions

    limits = range(1, 700, 17)
    resumed = [trio.run(broken, limit, clock=MockClock(autojump_threshold=0)) for limit in limits]
    assert sum(map(bool, resumed)) > len(resumed) // 2


@pytest.mark.trio
async def test_a_server_that_closes_a_websocket_in_order_does_not_end_the_session() -> None:
    async with open_system(), served(JSON) as ends:
        for code in (1000, 1001, 1011):
            await ends.physicals[-1].close(code, "the server restarts")
            await ends.client.send(b"still here")
            assert await ends.server.receive() == b"still here"
        assert ends.client.resumptions == 3


@pytest.mark.trio
async def test_a_cancelled_close_says_goodbye_all_the_same_where_that_takes_no_time() -> None:
    async with open_system(), served(JSON) as ends:
        with trio.CancelScope() as scope:
            scope.cancel()
            await ends.client.close()
        assert not ends.client.is_connected
        with pytest.raises(ConnectionLost):
            await ends.server.receive()


@pytest.mark.trio
async def test_a_message_that_the_other_end_will_never_read_is_a_loss_and_is_not_sent_for_ever() -> None:
    async with open_system(), served(JSON, max_size=100_000) as ends:
        await ends.client.send(b"x" * 99_000)
        assert len(await ends.server.receive()) == 99_000
        await ends.client.send(b"x" * 200_000)
        for link in (ends.client, ends.server):
            with pytest.raises(LinkLost, match="max_size"):
                await link.receive()
        assert len(ends.physicals) == 1


@BOTH
@pytest.mark.trio
async def test_goodbyes_that_cross_end_a_link_in_order(
    subprotocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        async with open_system(), served(subprotocol) as ends, trio.open_nursery() as nursery:
            nursery.start_soon(ends.client.close)
            nursery.start_soon(ends.server.close)
    assert caplog.records == []
