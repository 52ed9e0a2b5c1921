"""TRANSPORT_MACHINE walked beside a real WebSocketTransport, over a network in memory and in virtual time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from functools import partial

import trio
from hypothesis import settings
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import open_system
from aip_trio.errors import AipError, IllegalTransition, TransportError
from aip_trio.testing import async_machine_test
from aip_trio.transport import (
    TRANSPORT_MACHINE,
    AdapterName,
    TransportEvent,
    TransportState,
    WebSocketTransport,
    serve_websocket,
)
from tests.transport.network import FakeNetwork, FakeStream


class NoCause(Exception):
    """Nothing that can happen to a transport in this state has this effect."""


class HoldingNetwork(FakeNetwork):
    """Its connections hold what is sent over them, until told otherwise."""

    held = False

    async def open_tcp_stream(self, host: str, port: int) -> FakeStream:
        stream = await super().open_tcp_stream(host, port)
        stream.hold(self.held)
        return stream


class RealWebSocket:
    """A client; each event by what causes it in life."""

    def __init__(
        self, nursery: trio.Nursery, network: HoldingNetwork, url: str, adapter: AdapterName
    ) -> None:
        self.nursery = nursery
        self.network = network
        self.url = url
        self.transport = WebSocketTransport(
            ping_interval=None, ping_timeout=None, close_timeout=1000, adapter=adapter
        )
        self.errors: list[AipError] = []

    @property
    def state(self) -> TransportState:
        return self.transport.state

    @property
    def stream(self) -> FakeStream:
        return self.network.clients[-1]

    async def fire(self, event: TransportEvent) -> None:
        before = self.state
        await getattr(self, f"_{event.value}")()
        await wait_all_tasks_blocked()
        if self.errors and not isinstance(self.errors[-1], TransportError):
            raise self.errors.pop()
        self.errors.clear()
        if self.state is before:
            raise NoCause

    async def _connect(self) -> None:
        self.network.held = True  # it waits for the answer
        await self._begin(self.transport.connect(self.url))

    async def _succeed(self) -> None:
        self._only_in(TransportState.CONNECTING)
        self.stream.hold(False)

    async def _fail(self) -> None:
        self._only_in(TransportState.CONNECTING, TransportState.CONNECTED)
        self.stream.cut()

    async def _close(self) -> None:
        if self.state is TransportState.CONNECTED:
            self.stream.hold()  # the answer will be on its way
        if self.state is not TransportState.CONNECTING:  # which it would call off: that is FAIL
            await self._begin(self.transport.close())

    async def _complete(self) -> None:
        self._only_in(TransportState.DISCONNECTING)
        self.stream.hold(False)

    async def _reset(self) -> None:
        self.transport.reset()

    def _only_in(self, *states: TransportState) -> None:
        if self.state not in states:
            raise NoCause

    async def _begin(self, call: Awaitable[object]) -> None:
        """Make a call, which may well wait."""

        async def answered() -> None:
            try:
                await call
            except AipError as error:
                self.errors.append(error)

        self.nursery.start_soon(answered)
        await wait_all_tasks_blocked()


async def echo(transport: WebSocketTransport) -> None:
    while True:
        await transport.send(await transport.receive())


@asynccontextmanager
async def open_websocket(adapter: AdapterName = "native") -> AsyncGenerator[RealWebSocket]:
    network = HoldingNetwork()
    async with open_system(environment=network), trio.open_nursery() as nursery:
        server = await serve_websocket(
            echo, port=1, nursery=nursery, ping_interval=None, ping_timeout=None, handshake_timeout=1e9
        )
        yield RealWebSocket(nursery, network, server.url, adapter)
        nursery.cancel_scope.cancel()


TestWebSocket = async_machine_test(
    TRANSPORT_MACHINE,
    open_websocket,
    refusals=(NoCause, IllegalTransition),
    settings=settings(max_examples=30),
)

TestByWebsockets = async_machine_test(
    TRANSPORT_MACHINE,
    partial(open_websocket, "websockets"),
    refusals=(NoCause, IllegalTransition),
    settings=settings(max_examples=10),
)

TestByTrioWebsocket = async_machine_test(
    TRANSPORT_MACHINE,
    partial(open_websocket, "trio-websocket"),
    refusals=(NoCause, IllegalTransition),
    settings=settings(max_examples=10),
)
