"""The other process: ``python -m benchmarks._far KIND PORT …`` answers, or sends, until it is killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import DeviceClientEndpoint
from aip_trio.messages import ClientMessageType, Result, ResultStatus, ServerMessage, TaskStatus
from aip_trio.protocol import TaskExecutionProtocol
from aip_trio.transport import AdapterName, WebSocketTransport
from benchmarks._harness import ROOT
from benchmarks._stream import send_over_link, send_with_pydantic

__all__ = ["far"]

RESULT = {"clicked": True}


@contextmanager
def far(kind: str, port: int, *arguments: str) -> Generator[None]:
    """Run it beside the body."""
    command = [sys.executable, "-m", "benchmarks._far", kind, str(port), *arguments]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield
        finally:
            process.kill()


class Clicker:
    """A device's client that has nothing to wait for."""

    client_id = "dev"
    platform = "none"
    session_id: str | None = None

    def reset(self) -> None: ...

    async def execute_step(self, message: ServerMessage) -> list[Result]:
        """Done."""
        return [
            Result(status=ResultStatus.SUCCESS, result=RESULT, call_id=command.call_id)
            for command in message.actions or ()
        ]


def endpoint(port: int, adapter: AdapterName, *subprotocols: str) -> None:
    """A device, as a fleet has them; without subprotocols it speaks `aip.v1`."""

    async def main() -> None:
        async with open_system():
            device = DeviceClientEndpoint(
                f"ws://127.0.0.1:{port}/ws", Clicker(), adapter=adapter, subprotocols=subprotocols
            )
            await device.start()
            await device.stopped()

    trio.run(main)


def protocol(port: int, adapter: AdapterName) -> None:
    """Typed messages over a transport, without actors."""

    async def main() -> None:
        async with WebSocketTransport(adapter=adapter) as transport:
            await transport.connect(f"ws://127.0.0.1:{port}/ws")
            conversation = TaskExecutionProtocol(transport)
            while True:
                command = await conversation.receive_message(ServerMessage)
                results = [
                    Result(status=ResultStatus.SUCCESS, result=RESULT, call_id=action.call_id)
                    for action in command.actions or ()
                ]
                await conversation.send_command_results(
                    results, command.session_id or "", "dev", command.response_id or ""
                )

    trio.run(main)


def transport_echo(port: int, adapter: AdapterName) -> None:
    """Our transport: bytes."""

    async def main() -> None:
        async with WebSocketTransport(adapter=adapter) as transport:
            await transport.connect(f"ws://127.0.0.1:{port}/ws")
            while True:
                await transport.send(await transport.receive())

    trio.run(main)


def trio_websocket_echo(port: int) -> None:
    """Texts, by trio-websocket alone."""
    import trio_websocket

    async def main() -> None:
        async with trio_websocket.open_websocket_url(f"ws://127.0.0.1:{port}/ws") as websocket:
            while True:
                await websocket.send_message(await websocket.get_message())

    trio.run(main)


def sansio_echo(port: int) -> None:
    """Texts, by the sans-I/O protocol of `websockets` on a Trio stream."""
    from benchmarks._sansio import connect

    async def main() -> None:
        websocket = await connect(f"ws://127.0.0.1:{port}/ws")
        while True:
            await websocket.send(await websocket.receive())

    trio.run(main)


def pydantic(port: int, path: str = "ws") -> None:
    """websockets on asyncio, and pydantic's classes."""
    from websockets.asyncio.client import connect

    from benchmarks import _pydantic

    async def main() -> None:
        async with connect(f"ws://127.0.0.1:{port}/{path}", compression=None) as websocket:
            async for frame in websocket:
                command = _pydantic.ServerMessage.model_validate_json(frame)
                results = [
                    _pydantic.Result(status=ResultStatus.SUCCESS, result=RESULT, call_id=action.call_id)
                    for action in command.actions or ()
                ]
                answer = _pydantic.ClientMessage(
                    type=ClientMessageType.COMMAND_RESULTS,
                    status=TaskStatus.CONTINUE,
                    session_id=command.session_id,
                    client_id="dev",
                    prev_response_id=command.response_id,
                    action_results=results,
                )
                await websocket.send(answer.model_dump_json())

    asyncio.run(main())


KINDS: dict[str, Callable[..., None]] = {
    "endpoint": endpoint,
    "protocol": protocol,
    "transport": transport_echo,
    "trio-websocket": trio_websocket_echo,
    "sans-io": sansio_echo,
    "pydantic": pydantic,
    "stream": send_over_link,
    "pydantic stream": send_with_pydantic,
}


if __name__ == "__main__":
    kind, port, *arguments = sys.argv[1:]
    KINDS[kind](int(port), *arguments)
