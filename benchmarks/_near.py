"""The near ends of a round trip: servers that ask, and time the answers of `benchmarks._far`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import trio

from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.messages import Command, RunCommands, ServerMessageType, TaskStatus, ToolType, widen_server
from benchmarks._clock import Clock
from benchmarks._far import far
from benchmarks._harness import Load, Measures

__all__ = ["COMMAND", "FRAME", "WARM", "begin", "measure", "pydantic", "sansio", "trio_websocket"]

COMMAND = Command(
    tool_name="click_button",
    parameters={"button_id": "submit"},
    tool_type=ToolType.ACTION,
    call_id="cmd_001",
)
#: Round trips that only warm up.
WARM = 200

FRAME = widen_server(RunCommands([COMMAND], "session_123", "resp_456")).model_dump_json()

#: So many round trips, each of them ticked off.
Talk: TypeAlias = Callable[[Clock, int], Awaitable[None]]


async def measure(talk: Talk, clock: Clock, load: Load) -> None:
    """Warm up, and then time the round trips."""
    await talk(Clock(), WARM)
    clock.begin()
    await talk(clock, load.work)
    clock.end()


async def begin(server: DeviceServerEndpoint) -> None:
    """Have the server's task function run, once the device is there that `benchmarks._far` is."""
    while "dev" not in server.devices:  # noqa: ASYNC110 - the server tells nobody, and it is not measured yet
        await trio.sleep(0.01)
    await server.offer_task("dev", "click")


def trio_websocket(load: Load) -> Measures:
    """The library alone: a text there and back."""
    from trio_websocket import WebSocketRequest, serve_websocket

    clock = Clock()

    async def main() -> None:
        ended = trio.Event()

        async def handle(request: WebSocketRequest) -> None:
            websocket = await request.accept()

            async def talk(clock: Clock, times: int) -> None:
                for _ in range(times):
                    await websocket.send_message(FRAME)
                    await websocket.get_message()
                    clock.tick()

            await measure(talk, clock, load)
            ended.set()

        async with trio.open_nursery() as nursery:
            server = await nursery.start(serve_websocket, handle, "127.0.0.1", 0, None)
            with far("trio-websocket", server.port):
                await ended.wait()
                nursery.cancel_scope.cancel()

    trio.run(main)
    return clock.measures()


def sansio(load: Load) -> Measures:
    """The sans-I/O protocol of `websockets` on a Trio stream: a text there and back."""
    from benchmarks._sansio import accept

    clock = Clock()
    frame = FRAME.encode()

    async def main() -> None:
        ended = trio.Event()

        async def handle(stream: trio.SocketStream) -> None:
            websocket = await accept(stream)

            async def talk(clock: Clock, times: int) -> None:
                for _ in range(times):
                    await websocket.send(frame)
                    await websocket.receive()
                    clock.tick()

            await measure(talk, clock, load)
            ended.set()

        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, handle, [listener])
            with far("sans-io", listener.socket.getsockname()[1]):
                await ended.wait()
                nursery.cancel_scope.cancel()

    trio.run(main)
    return clock.measures()


def pydantic(load: Load) -> Measures:
    """`websockets` on asyncio, and pydantic's classes on both sides."""
    from websockets.asyncio.server import ServerConnection, serve

    from benchmarks import _pydantic

    clock = Clock()

    async def main() -> None:
        ended = asyncio.Event()

        async def handle(websocket: ServerConnection) -> None:
            async def talk(clock: Clock, times: int) -> None:
                for number in range(times):
                    await websocket.send(_command(number))
                    _pydantic.ClientMessage.model_validate_json(await websocket.recv())
                    clock.tick()

            await measure(talk, clock, load)
            ended.set()

        async with serve(handle, "127.0.0.1", 0, compression=None) as server:
            with far("pydantic", server.sockets[0].getsockname()[1]):
                await ended.wait()

    def _command(number: int) -> str:
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
        return str(message.model_dump_json())

    asyncio.run(main())
    return clock.measures()
