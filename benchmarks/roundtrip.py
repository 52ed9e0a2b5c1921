"""COMMAND → COMMAND_RESULTS over WebSocket, between two processes on the loopback, one at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceServerEndpoint, Session
from aip_trio.messages import (
    ClientMessage,
    Command,
    RunCommands,
    ServerMessageType,
    TaskStatus,
    ToolType,
    widen_server,
)
from aip_trio.protocol import TaskExecutionProtocol
from aip_trio.transport import WebSocketTransport, serve_websocket
from benchmarks._far import far
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target

__all__ = ["ROW"]

COMMAND = Command(
    tool_name="click_button",
    parameters={"button_id": "submit"},
    tool_type=ToolType.ACTION,
    call_id="cmd_001",
)
#: Round trips that only warm up.
WARM = 200

FRAME = widen_server(RunCommands([COMMAND], "session_123", "resp_456")).model_dump_json()


class Clock:
    """Times of single round trips, in seconds."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._last = 0.0

    def begin(self) -> None:
        """The first begins now."""
        self._last = time.perf_counter()

    def tick(self) -> None:
        """One has ended, and the next begins."""
        now = time.perf_counter()
        self.times.append(now - self._last)
        self._last = now

    def measures(self) -> Measures:
        """Their rate, and percentiles in microseconds."""
        ordered = sorted(self.times)
        at = [ordered[int(len(ordered) * part)] * 1e6 for part in (0.5, 0.99)]
        return {"rate": len(ordered) / sum(ordered), "p50": at[0], "p99": at[1]}


def endpoints(load: Load) -> Measures:
    """A server's task function, and a device: two trees of supervised actors."""
    clock = Clock()

    async def task(session: Session) -> None:
        for _ in range(WARM):
            await session.execute(COMMAND)
        clock.begin()
        for _ in range(load.work):
            await session.execute(COMMAND)
            clock.tick()

    async def main() -> None:
        async with open_system():
            server = DeviceServerEndpoint(port=0, task=task)
            await server.start()
            orchestrator = ConstellationEndpoint("bench")
            await orchestrator.start()
            with far("endpoint", server.port):
                profile = AgentProfile(device_id="dev", server_url=server.url, max_retries=50)
                await orchestrator.connect_to_device(profile)
                ended = await orchestrator.send_task_to_device("dev", {"request": "click"})
                assert ended.completed, ended.error
                await orchestrator.stop()
                await server.stop()

    trio.run(main)
    return clock.measures()


def _ours(
    kind: str, converse: Callable[[WebSocketTransport, Clock, int], Awaitable[None]]
) -> Callable[[Load], Measures]:
    """A server of our transport, and what it does with its one connection."""

    def run(load: Load) -> Measures:
        clock = Clock()

        async def main() -> None:
            ended = trio.Event()

            async def handle(transport: WebSocketTransport) -> None:
                await converse(transport, Clock(), WARM)
                clock.begin()
                await converse(transport, clock, load.work)
                ended.set()

            async with trio.open_nursery() as nursery:
                server = await serve_websocket(handle, nursery=nursery)
                with far(kind, server.port):
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


def trio_websocket(load: Load) -> Measures:
    """The library alone: a text there and back."""
    from trio_websocket import WebSocketConnection, WebSocketRequest, serve_websocket

    clock = Clock()

    async def main() -> None:
        ended = trio.Event()

        async def echo(websocket: WebSocketConnection, times: int) -> None:
            for _ in range(times):
                await websocket.send_message(FRAME)
                await websocket.get_message()
                clock.tick()

        async def handle(request: WebSocketRequest) -> None:
            websocket = await request.accept()
            await echo(websocket, WARM)
            clock.times.clear()
            clock.begin()
            await echo(websocket, load.work)
            ended.set()

        async with trio.open_nursery() as nursery:
            server = await nursery.start(serve_websocket, handle, "127.0.0.1", 0, None)
            with far("trio-websocket", server.port):
                await ended.wait()
                nursery.cancel_scope.cancel()

    trio.run(main)
    return clock.measures()


def pydantic(load: Load) -> Measures:
    """websockets on asyncio, and pydantic's classes on both sides."""
    from websockets.asyncio.server import ServerConnection, serve

    from benchmarks import _pydantic

    clock = Clock()

    async def main() -> None:
        ended = asyncio.Event()

        async def talk(websocket: ServerConnection, times: int) -> None:
            for number in range(times):
                command = _pydantic.Command(
                    tool_name=COMMAND.tool_name,
                    parameters=COMMAND.parameters,
                    tool_type=ToolType.ACTION,
                    call_id=COMMAND.call_id,
                )
                message = _pydantic.ServerMessage(
                    type=ServerMessageType.COMMAND,
                    status=TaskStatus.CONTINUE,
                    session_id="session_123",
                    response_id=f"resp_{number}",
                    actions=[command],
                )
                await websocket.send(message.model_dump_json())
                _pydantic.ClientMessage.model_validate_json(await websocket.recv())
                clock.tick()

        async def handle(websocket: ServerConnection) -> None:
            await talk(websocket, WARM)
            clock.times.clear()
            clock.begin()
            await talk(websocket, load.work)
            ended.set()

        async with serve(handle, "127.0.0.1", 0, compression=None) as server:
            with far("pydantic", server.sockets[0].getsockname()[1]):
                await ended.wait()

    asyncio.run(main())
    return clock.measures()


BARE = "trio-websocket, bare echo"
PYDANTIC = "websockets + pydantic"
PROTOCOL = "aip_trio, protocol alone"
TRANSPORT = "aip_trio, bare echo"
RATE = "round trips/s"

ROW = Row(
    name="roundtrip",
    title="COMMAND → COMMAND_RESULTS, two processes",
    work=8_000,
    rounds=5,
    subjects=(
        Subject(OURS, endpoints),
        Subject(PROTOCOL, _ours("protocol", _converse)),
        Subject(TRANSPORT, _ours("transport", _echo)),
        Subject(BARE, trio_websocket),
        Subject(PYDANTIC, pydantic, needs=("pydantic", "websockets")),
    ),
    figures=(
        Figure("endpoints, beside a bare echo", "rate", RATE, peer=BARE, target=Target(0.8, ratio=True)),
        Figure("endpoints, beside pydantic", "rate", RATE, peer=PYDANTIC),
        Figure("endpoints, median", "p50", "µs", peer=BARE),
        Figure("endpoints, 99 %", "p99", "µs", peer=BARE),
        Figure("protocol alone, beside a bare echo", "rate", RATE, subject=PROTOCOL, peer=BARE),
        Figure("transport alone, beside a bare echo", "rate", RATE, subject=TRANSPORT, peer=BARE),
    ),
)
