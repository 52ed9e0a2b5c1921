"""One end of a connection as the harness drives it, with a plain peer at the other end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum
from typing import Generic, TypeVar

from aip_trio.errors import IllegalTransition, UnexpectedMessage
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import MemoryTransport, Transport

__all__ = ["REFUSALS", "Near", "NoCause", "Opener", "opener"]

P = TypeVar("P", bound=AIPProtocol)
S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


class NoCause(Exception):
    """Nothing that can be done in this state has this effect."""


REFUSALS = (IllegalTransition, UnexpectedMessage, NoCause)


class Near(Generic[P, S, E]):
    """The object under test, ``near``, at the server's end or the client's; ``far`` is a plain peer."""

    def __init__(self, near: P, far: AIPProtocol, *, serves: bool) -> None:
        self.near, self.far, self.serves = near, far, serves

    @property
    @abstractmethod
    def state(self) -> S: ...

    async def fire(self, event: E) -> None:
        await getattr(self, f"_{event.value}")()

    async def greet(self) -> None:
        """One message each way: from now on the object has seen all."""
        ack = ServerMessage(type=ServerMessageType.HEARTBEAT, status=TaskStatus.OK)
        beat = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK)
        await self.pass_on(ack)
        await self.pass_on(beat)

    async def pass_on(self, message: WireModel, send: Callable[[], Awaitable[object]] | None = None) -> None:
        """Have a message pass in its direction; the near end's own call for it is ``send``."""
        if isinstance(message, ServerMessage) == self.serves:
            await (self.near.send_message(message) if send is None else send())
            await self.far.receive_message(type(message))
        else:
            await self.far.send_message(message)
            await self.near.receive_message(type(message))


Opener = Callable[[], AbstractAsyncContextManager[Near[P, S, E]]]


def opener(
    subject: Callable[..., Near[P, S, E]], protocol: Callable[[Transport], P], *, serves: bool
) -> Opener[P, S, E]:
    @asynccontextmanager
    async def open_near() -> AsyncGenerator[Near[P, S, E]]:
        client, server = MemoryTransport.pair()
        near, far = (server, client) if serves else (client, server)
        real = subject(protocol(near), AIPProtocol(far), serves=serves)
        await real.greet()
        yield real

    return open_near
