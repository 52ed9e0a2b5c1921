"""Services that clients are tested against: ours, and bare sockets that say what a test tells them to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import trio

from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiOptions,
    RpcClient,
    RpcOptions,
    RpcService,
    create_api_service,
)
from aip_trio.rpc._wire import encode_topic
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

__all__ = ["PATIENCE", "BareService", "Delegate", "client_of", "service_of", "until"]

#: Real seconds after which a test has failed.
PATIENCE = 20.0

Delegate = Callable[[ApiCommandRequest], Awaitable[ApiCommandRequestResponse]]


async def echo(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    """Succeed with the data of the request; USER_DEFINED takes a while."""
    if request.command == ApiCommand.USER_DEFINED:
        await trio.sleep(0.1)
    return ApiCommandRequestResponse(ApiCommandRequestResult.SUCCESS, request.data)


@asynccontextmanager
async def service_of(
    options: RpcOptions | None = None, delegate: Delegate = echo
) -> AsyncGenerator[RpcService]:
    """A service of ours, on ports that are free unless said otherwise."""
    options = options or RpcOptions(subscriber_port=0, command_port=0, heartbeat_interval=0.1)
    service = create_api_service(ApiOptions(options))
    assert service is not None
    service.command_request_delegate = delegate
    async with service:
        yield service


@asynccontextmanager
async def client_of(service: RpcService | BareService) -> AsyncGenerator[RpcClient]:
    """A client of a service, with a deadline for the whole test."""
    with trio.fail_after(PATIENCE):
        async with RpcClient("127.0.0.1", service.subscriber_port, service.command_port) as client:
            await client.ready()
            yield client


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so that nobody tells of."""
    with trio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event
            await trio.sleep(0.005)


class BareService:
    """A PUB and a REP socket, as auto-trainer-api's service has them."""

    def __init__(self, subscriber_port: int = 0, command_port: int = 0) -> None:
        self.subscriber_port = subscriber_port
        self.command_port = command_port
        self._pub = ZeroMQSocket(Kind.PUB)
        self._rep = ZeroMQSocket(Kind.REP)

    async def __aenter__(self) -> Self:
        pub = await self._pub.bind(f"tcp://127.0.0.1:{self.subscriber_port or '*'}")
        rep = await self._rep.bind(f"tcp://127.0.0.1:{self.command_port or '*'}")
        self.subscriber_port, self.command_port = (int(url.rpartition(":")[2]) for url in (pub, rep))
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._pub.close(0)
            await self._rep.close(0)

    async def publish(self, topic: int, payload: bytes) -> None:
        """Publish these bytes."""
        await self._pub.send([encode_topic(topic), payload])

    async def request(self) -> bytes:
        """The next request."""
        [data] = await self._rep.receive()
        return data

    async def reply(self, data: bytes) -> None:
        """Reply to it with these bytes."""
        await self._rep.send([data])
