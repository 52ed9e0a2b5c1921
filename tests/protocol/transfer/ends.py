"""Two protocols that are connected, and what watches them."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import attrs
import trio

from aip_trio.messages import ClientMessage, ClientMessageType, TaskStatus
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import MemoryTransport, WebSocketTransport, serve_websocket

__all__ = ["Ends", "Seen", "beat", "beats", "frames_of", "memory", "open_files", "text", "websocket"]

Ends: TypeAlias = Callable[[], AbstractAsyncContextManager[tuple[AIPProtocol, AIPProtocol]]]


@asynccontextmanager
async def memory() -> AsyncGenerator[tuple[AIPProtocol, AIPProtocol]]:
    here, there = MemoryTransport.pair()
    yield AIPProtocol(here), AIPProtocol(there)


@asynccontextmanager
async def websocket() -> AsyncGenerator[tuple[AIPProtocol, AIPProtocol]]:
    """A client, and what the server made of it."""
    accepted: list[WebSocketTransport] = []
    arrived, leave = trio.Event(), trio.Event()

    async def handler(transport: WebSocketTransport) -> None:
        accepted.append(transport)
        arrived.set()
        await leave.wait()

    async with trio.open_nursery() as nursery, WebSocketTransport(close_timeout=2.0) as client:
        server = await serve_websocket(handler, nursery=nursery, close_timeout=2.0)
        await client.connect(server.url)
        await arrived.wait()
        yield AIPProtocol(client), AIPProtocol(accepted[0])
        leave.set()
        await client.close()
        await server.close()


def beat(number: int) -> ClientMessage:
    """A message like no other."""
    return ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK, request_id=str(number))


async def beats(protocol: AIPProtocol, count: int) -> list[str | None]:
    """The numbers of so many, as they come."""
    return [(await protocol.receive_message(ClientMessage)).request_id for _ in range(count)]


@attrs.define
class Seen:
    """A progress callback: what it was told, and what else it does."""

    then: Callable[[], object] = lambda: None
    steps: list[tuple[int, int]] = attrs.field(factory=list[tuple[int, int]], init=False)

    def __call__(self, done: int, total: int) -> None:
        self.steps.append((done, total))
        self.then()


def text(**members: object) -> bytes:
    """A text frame, as a peer of another make writes it."""
    return json.dumps(members).encode()


async def frames_of(protocol: AIPProtocol, count: int) -> list[object]:
    """What came, as a peer without us sees it: texts as what they say, binary frames as bytes."""
    frames: list[object] = []
    for _ in range(count):
        frame = await protocol.transport.receive_auto()
        frames.append(json.loads(frame) if isinstance(frame, str) else frame)
    return frames


def open_files(below: Path) -> list[str]:
    """Which files and folders below this one the process has open."""
    found: list[str] = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
        except OSError:
            continue
        if path.startswith(os.fspath(below)):
            found.append(path)
    return found
