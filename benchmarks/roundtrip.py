"""COMMAND → COMMAND_RESULTS over WebSocket, between two processes on the loopback, one at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import DeviceServerEndpoint, Session
from aip_trio.messages import ClientMessage
from aip_trio.protocol import TaskExecutionProtocol
from aip_trio.transport import AdapterName, WebSocketTransport, serve_websocket
from benchmarks._clock import Clock
from benchmarks._far import far
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target
from benchmarks._near import COMMAND, FRAME, begin, measure, pydantic, sansio, trio_websocket

__all__ = ["ROW"]


def endpoints(load: Load, adapter: AdapterName = "native", link: tuple[str, ...] = ()) -> Measures:
    """A server's task function, and a device: two trees of supervised actors; with a ``link``, over that."""
    clock = Clock()

    async def main() -> None:
        ended = trio.Event()

        async def task(session: Session) -> None:
            async def talk(clock: Clock, times: int) -> None:
                for _ in range(times):
                    await session.execute(COMMAND)
                    clock.tick()

            await measure(talk, clock, load)
            ended.set()

        async with open_system():
            server = DeviceServerEndpoint(port=0, task=task, adapter=adapter)
            await server.start()
            with far("endpoint", server.port, adapter, *link):
                await begin(server)
                await ended.wait()
            await server.stop()

    trio.run(main)
    return clock.measures()


def _ours(
    kind: str,
    converse: Callable[[WebSocketTransport, Clock, int], Awaitable[None]],
    adapter: AdapterName = "native",
) -> Callable[[Load], Measures]:
    """A server of our transport, and what it does with its one connection."""

    def run(load: Load) -> Measures:
        clock = Clock()

        async def main() -> None:
            ended = trio.Event()

            async def handle(transport: WebSocketTransport) -> None:
                await measure(partial(converse, transport), clock, load)
                ended.set()

            async with trio.open_nursery() as nursery:
                server = await serve_websocket(handle, nursery=nursery, adapter=adapter)
                with far(kind, server.port, adapter):
                    await ended.wait()
                    nursery.cancel_scope.cancel()

        trio.run(main)
        return clock.measures()

    return run


async def _converse(transport: WebSocketTransport, clock: Clock, times: int) -> None:
    """Typed messages over a transport, without actors."""
    conversation = TaskExecutionProtocol(transport)
    for number in range(times):
        await conversation.send_commands([COMMAND], "session_123", f"resp_{number}")
        await conversation.receive_message(ClientMessage)
        clock.tick()


async def _echo(transport: WebSocketTransport, clock: Clock, times: int) -> None:
    """The bytes of a message."""
    frame = FRAME.encode()
    for _ in range(times):
        await transport.send(frame)
        await transport.receive()
        clock.tick()


FAST = "aip_trio, adapter websockets"
GIVEN = "aip_trio, adapter trio-websocket"
LINK = "aip_trio, aip.v2+json"
FAST_LINK = "aip_trio, aip.v2+json, adapter websockets"
PROTOCOL = "aip_trio, protocol alone"
FAST_PROTOCOL = "aip_trio, protocol alone, adapter websockets"
TRANSPORT = "aip_trio, bare echo"
FAST_TRANSPORT = "aip_trio, bare echo, adapter websockets"
BARE = "trio-websocket, bare echo"
SANSIO = "websockets sans-I/O, bare echo"
PYDANTIC = "websockets + pydantic"
RATE = "round trips/s"
JSON = ("aip.v2+json",)

ROW = Row(
    name="roundtrip",
    title="COMMAND → COMMAND_RESULTS, two processes",
    work=6_000,
    rounds=5,
    subjects=(
        Subject(OURS, endpoints),
        Subject(FAST, partial(endpoints, adapter="websockets"), needs="websockets"),
        Subject(GIVEN, partial(endpoints, adapter="trio-websocket")),
        Subject(LINK, partial(endpoints, link=JSON)),
        Subject(FAST_LINK, partial(endpoints, adapter="websockets", link=JSON), needs="websockets"),
        Subject(PROTOCOL, _ours("protocol", _converse)),
        Subject(FAST_PROTOCOL, _ours("protocol", _converse, "websockets"), needs="websockets"),
        Subject(TRANSPORT, _ours("transport", _echo)),
        Subject(FAST_TRANSPORT, _ours("transport", _echo, "websockets"), needs="websockets"),
        Subject(BARE, trio_websocket),
        Subject(SANSIO, sansio, needs="websockets"),
        Subject(PYDANTIC, pydantic, needs=("pydantic", "websockets")),
    ),
    figures=(
        Figure("endpoints, native", "rate", RATE, peer=BARE, target=Target(0.8, ratio=True)),
        Figure("endpoints, native", "rate", RATE, peer=SANSIO),
        Figure("endpoints, native", "rate", RATE, peer=PYDANTIC),
        Figure("endpoints, websockets", "rate", RATE, FAST, SANSIO, Target(0.8, ratio=True)),
        Figure("endpoints, websockets", "rate", RATE, FAST, PYDANTIC, Target(1.3, ratio=True)),
        Figure("endpoints, trio-websocket", "rate", RATE, GIVEN, BARE),
        Figure("endpoints over a v2 link, native", "rate", RATE, LINK, OURS),
        Figure("endpoints over a v2 link, websockets", "rate", RATE, FAST_LINK, FAST),
        Figure("endpoints, native: median", "p50", "µs", peer=PYDANTIC),
        Figure("endpoints, native: 99 %", "p99", "µs", peer=PYDANTIC),
        Figure("endpoints, native: both processors", "cpu", "µs", peer=PYDANTIC),
        Figure("endpoints, websockets: both processors", "cpu", "µs", FAST, SANSIO),
        Figure("endpoints over a v2 link: both processors", "cpu", "µs", LINK, OURS),
        Figure("protocol alone, native", "rate", RATE, PROTOCOL, PYDANTIC),
        Figure("protocol alone, websockets", "rate", RATE, FAST_PROTOCOL, SANSIO),
        Figure("transport alone, native", "rate", RATE, TRANSPORT, SANSIO),
        Figure("transport alone, websockets", "rate", RATE, FAST_TRANSPORT, SANSIO),
    ),
)
