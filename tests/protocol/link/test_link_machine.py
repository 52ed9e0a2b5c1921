"""`LINK_MACHINE` beside a real link: both of its ends, in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio
from hypothesis import settings
from trio.testing import wait_all_tasks_blocked

from aip_trio.machine import Machine
from aip_trio.protocol import LINK_MACHINE, LinkEvent, LinkState, LinkTransport
from aip_trio.protocol.link._frames import Hello, Welcome
from aip_trio.testing import async_machine_test
from aip_trio.transport import MemoryTransport
from tests.protocol.link.links import World, world


class NoCause(Exception):
    """Nothing that can be done in this state has this effect."""


class Accepted:
    """A link as its server has it, from its hello on; ``peer`` is what carries it, or would."""

    def __init__(self, here: World) -> None:
        self.here = here
        self.peer: MemoryTransport | None = None
        self.welcome = Welcome("", "", 0.0)

    async def begin(self) -> None:
        self.here.carry = trio.Event()
        self.peer = await self.here.raw()
        await self.peer.send(self.here.wire.frame(Hello()))
        welcome = self.here.wire.read(await self.peer.receive())
        assert isinstance(welcome, Welcome)
        self.welcome = welcome
        await wait_all_tasks_blocked()

    @property
    def link(self) -> LinkTransport:
        return self.here.links[0]

    @property
    def state(self) -> LinkState:
        return self.link._session.state

    async def fire(self, event: LinkEvent) -> None:
        await getattr(self, event.value)()
        await wait_all_tasks_blocked()

    async def attach(self) -> None:
        """Carry it; where it was carried before, after a hello that resumes it."""
        if self.state is LinkState.ATTACHED:
            raise NoCause
        if self.state is not LinkState.NEW:
            self.peer = await self.here.raw()
            await self.peer.send(self.here.wire.frame(Hello(self.welcome.session, self.welcome.secret)))
            if not isinstance(self.here.wire.read(await self.peer.receive()), Welcome):
                raise NoCause
        self.here.carry.set()

    async def detach(self) -> None:
        """Lose the connection."""
        if self.state is not LinkState.ATTACHED or self.peer is None:
            raise NoCause
        self.peer.cut()

    async def close(self) -> None:
        if self.link._session.over:
            raise NoCause
        await self.link.close()

    async def lose(self) -> None:
        if self.link._session.over:
            raise NoCause
        self.link.abandon("planted")


def opener(machine: Machine[LinkState, LinkEvent]) -> Callable[[], AbstractAsyncContextManager[Accepted]]:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[Accepted]:
        async with world(window=1000.0) as here:
            subject = Accepted(here)
            await subject.begin()
            assert subject.state is machine.initial
            yield subject

    return opened


TestLinkMachine = async_machine_test(
    LINK_MACHINE, opener(LINK_MACHINE), refusals=(NoCause,), settings=settings(max_examples=20)
)
