"""TRANSPORT_MACHINE walked beside a real ZeroMQTransport, whose peer says what the walk wants."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from itertools import count

import trio
from hypothesis import settings
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import AipError, IllegalTransition, TransportError
from aip_trio.testing import async_machine_test
from aip_trio.transport import TRANSPORT_MACHINE, TransportEvent, TransportState
from aip_trio.transport._codec import Closed
from aip_trio.transport.zeromq import Kind, ZeroMQSocket, ZeroMQTransport
from aip_trio.transport.zeromq._flow import WINDOW
from aip_trio.transport.zeromq._wire import VERSION, Gone, Refused, Saying, Welcome, write

_names = count()

#: Seconds without an event, after which what was said between two sockets has arrived.
CUSHION = 0.01


class NoCause(Exception):
    """Nothing that can happen to a transport in this state has this effect."""


class RealZeroMQ:
    """A client, and a ROUTER that answers as it is told; each event by what causes it in life."""

    def __init__(self, nursery: trio.Nursery, router: ZeroMQSocket, url: str) -> None:
        self.nursery = nursery
        self.router = router
        self.url = url
        self.transport = ZeroMQTransport(ping_interval=None, ping_timeout=None, close_timeout=1000)
        self.errors: list[AipError] = []
        self.identity = b""

    @property
    def state(self) -> TransportState:
        return self.transport.state

    async def fire(self, event: TransportEvent) -> None:
        before = self.state
        await getattr(self, f"_{event.value}")()
        await wait_all_tasks_blocked(CUSHION)
        if self.errors and not isinstance(self.errors[-1], TransportError):
            raise self.errors.pop()
        self.errors.clear()
        if self.state is before:
            raise NoCause

    async def _connect(self) -> None:
        await self._begin(self.transport.connect(self.url))

    async def _succeed(self) -> None:
        self._only_in(TransportState.CONNECTING)
        await self._say(Welcome(VERSION, None, WINDOW, 1000))

    async def _fail(self) -> None:
        self._only_in(TransportState.CONNECTING, TransportState.CONNECTED)
        connecting = self.state is TransportState.CONNECTING
        await self._say(Refused(503, "not now") if connecting else Gone())

    async def _close(self) -> None:
        if self.state is not TransportState.CONNECTING:  # which it would call off: that is FAIL
            await self._begin(self.transport.close())

    async def _complete(self) -> None:
        self._only_in(TransportState.DISCONNECTING)
        await self._say(Closed(1000, ""))

    async def _reset(self) -> None:
        self.transport.reset()

    def _only_in(self, *states: TransportState) -> None:
        if self.state not in states:
            raise NoCause

    async def _say(self, saying: Saying) -> None:
        await wait_all_tasks_blocked(CUSHION)
        await self.router.send([self.identity, *write(saying)])

    async def listen(self) -> None:
        """The ROUTER's task: who said something last is answered."""
        while True:
            self.identity, *_ = await self.router.receive()

    async def _begin(self, call: Awaitable[object]) -> None:
        """Make a call, which may well wait."""

        async def answered() -> None:
            try:
                await call
            except AipError as error:
                self.errors.append(error)

        self.nursery.start_soon(answered)
        await wait_all_tasks_blocked(CUSHION)


@asynccontextmanager
async def open_zeromq() -> AsyncGenerator[RealZeroMQ]:
    async with ZeroMQSocket(Kind.ROUTER) as router, trio.open_nursery() as nursery:
        real = RealZeroMQ(nursery, router, await router.bind(f"inproc://walk-{next(_names)}"))
        nursery.start_soon(real.listen)
        async with real.transport:
            yield real
            nursery.cancel_scope.cancel()


TestZeroMQ = async_machine_test(
    TRANSPORT_MACHINE,
    open_zeromq,
    refusals=(NoCause, IllegalTransition),
    settings=settings(max_examples=6, stateful_step_count=20, deadline=None),
)
