"""What the tests of the service share: a service, its clients, and its subscribers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from aip_trio.actors import open_system
from aip_trio.rpc import (
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    CommandRequestDelegate,
    RpcOptions,
    RpcService,
)
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

__all__ = [
    "RESULT",
    "SUCCESS",
    "Client",
    "Subscriber",
    "ask",
    "asking",
    "dealing",
    "request",
    "serving",
    "subscribed",
    "succeed",
    "until",
]

RESULT = ApiCommandRequestResult
SUCCESS = ApiCommandRequestResponse(RESULT.SUCCESS)

_PROBE = (0xFFFFFFFF).to_bytes(4, "little")


async def succeed(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    """A delegate that does nothing, and says so at once."""
    return ApiCommandRequestResponse(RESULT.SUCCESS, request.data)


@asynccontextmanager
async def serving(
    delegate: CommandRequestDelegate | None = succeed, **options: Any
) -> AsyncGenerator[RpcService]:
    """A service in a system of its own; a hang is a failure.

    Commands are pending after 5 s unless said otherwise: a busy machine must not make one so.
    """
    options = {"subscriber_port": 0, "command_port": 0, "pending_after": 5} | options
    with trio.fail_after(20):
        async with open_system():
            service = RpcService(RpcOptions(**options))
            service.command_request_delegate = delegate
            await service.start()
            yield service
            await service.stop()


async def until(true: Callable[[], object]) -> None:
    """Wait for what will be true in a moment."""
    while not true():  # noqa: ASYNC110 - what is looked at tells nobody of its changes
        await trio.sleep(0.002)


def request(command: int, **fields: object) -> bytes:
    """A request as a client writes it."""
    return json.dumps({"command": command, **fields}).encode()


class Client:
    """A client of one service; a REQ socket unless said otherwise."""

    def __init__(self, socket: ZeroMQSocket, envelope: Sequence[bytes] = ()) -> None:
        self.socket = socket
        self._envelope = envelope

    async def send(self, data: bytes) -> None:
        await self.socket.send([*self._envelope, data])

    async def receive(self) -> dict[str, Any]:
        *envelope, data = await self.socket.receive()
        assert envelope == [*self._envelope]
        reply: dict[str, Any] = json.loads(data)
        return reply

    async def ask(self, data: bytes) -> dict[str, Any]:
        await self.send(data)
        return await self.receive()


@asynccontextmanager
async def asking(service: RpcService) -> AsyncGenerator[Client]:
    """A REQ client, which waits for each answer."""
    async with ZeroMQSocket(Kind.REQ, linger=0) as socket:
        await socket.connect(service.urls.commands)
        yield Client(socket)


@asynccontextmanager
async def dealing(service: RpcService, *, delimiter: bool = True) -> AsyncGenerator[Client]:
    """A DEALER client, which may send one request after another."""
    async with ZeroMQSocket(Kind.DEALER, linger=0) as socket:
        await socket.connect(service.urls.commands)
        yield Client(socket, [b""] if delimiter else [])


async def ask(service: RpcService, *requests: bytes) -> list[dict[str, Any]]:
    """The answers that a new client gets."""
    async with asking(service) as client:
        return [await client.ask(each) for each in requests]


class Subscriber:
    """A subscriber to one service."""

    def __init__(self, socket: ZeroMQSocket) -> None:
        self._socket = socket

    async def receive(self) -> tuple[int, Any]:
        """The next message: its topic, and its payload as JSON, or as bytes where it is none."""
        while True:
            topic, payload = await self._socket.receive()
            if topic == _PROBE:
                continue
            try:
                return int.from_bytes(topic, "little"), json.loads(payload)
            except ValueError:
                return int.from_bytes(topic, "little"), payload

    async def joined(self, service: RpcService) -> None:
        """Wait until what is published comes here."""
        while True:
            service.send(0xFFFFFFFF, b"probe")
            with trio.move_on_after(0.02):
                while (await self._socket.receive())[0] != _PROBE:
                    pass
                return


@asynccontextmanager
async def subscribed(service: RpcService, *topics: int) -> AsyncGenerator[Subscriber]:
    """A subscriber that gets whatever is published from now on; all topics unless some are named."""
    async with ZeroMQSocket(Kind.SUB, receive_limit=0, linger=0) as socket:
        for topic in topics:
            socket.subscribe(topic.to_bytes(4, "little"))
        socket.subscribe(_PROBE if topics else b"")
        await socket.connect(service.urls.events)
        subscriber = Subscriber(socket)
        await subscriber.joined(service)
        yield subscriber
