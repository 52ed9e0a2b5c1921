"""The session of a client's connection: registers, and routes what comes in."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress

import trio

from aip_trio.actors import Actor, ActorRef, StopReason, handles
from aip_trio.endpoints.connection._dial import Dial
from aip_trio.endpoints.connection._line import ClientLine
from aip_trio.endpoints.connection._messages import AskLine, Enrol, LineDown, LineUp, Route, Taker, everything
from aip_trio.errors import ActorStopped, ChildNotFound, RegistrationRefused
from aip_trio.messages import ErrorFromServer, HeartbeatAck
from aip_trio.transport import Attach

__all__ = ["ClientSession"]

logger = logging.getLogger("aip_trio.endpoints")


class ClientSession(Actor):
    """Registers when it starts, and tells `listeners` when the connection is up, and when it has gone.

    Subclasses have handlers for the messages that concern them.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial = dial
        self._line: ClientLine | None = None

    def listeners(self) -> tuple[ActorRef, ...]:
        """Who is told of `LineUp` and `LineDown`."""
        return (self.nearby("outbox"),)

    def routes(self) -> Mapping[type, ActorRef]:
        """What goes past this session, straight to who deals with it; one hop less for what is frequent."""
        return {}

    async def taker(self) -> Taker:
        """Deals with messages in the task of the link, before any is told to anybody: no hop at all."""
        return everything  # noqa: ASYNC910 - internal

    def nearby(self, name: str) -> ActorRef:
        """A sibling of the connection that this session belongs to."""
        ref = self.system.find(f"{self.path.rsplit('/', 2)[0]}/{name}")
        if ref is None:
            raise ChildNotFound(self.path.rsplit("/", 2)[0], name)
        return ref

    async def started(self) -> None:
        """Register. Raises RegistrationRefused, or what the connection was lost by."""
        link = self.sibling("link")
        self._line = await link.ask(Enrol())
        logger.info("%s is registered at %s", self._dial.client_id, self._dial.url)
        for listener in self.listeners():
            await listener.tell(LineUp(self._line))
        await link.tell(Route(self.routes(), await self.taker()))
        await link.tell(Attach(self.ref))

    async def stopping(self, reason: StopReason | BaseException) -> None:  # noqa: ASYNC910 - internal
        """What waits for this connection waits no more."""
        if self._line is None:
            return  # noqa: ASYNC910 - internal
        with trio.move_on_after(4):
            for listener in self.listeners():
                with suppress(ActorStopped):  # it is about to end, too
                    await listener.tell(LineDown(self._line))

    @handles
    async def ask_line(self, message: AskLine) -> ClientLine:
        """The way out."""
        if self._line is None:
            raise RegistrationRefused(self._dial.client_id, "not registered yet")
        return self._line

    @handles
    async def acknowledged(self, message: HeartbeatAck) -> None:
        """That it came is what counts, and the transport has noticed."""

    @handles
    async def complaint(self, message: ErrorFromServer) -> None:
        """About a message of ours."""
        logger.warning("%s: the server reports an error: %s", self._dial.client_id, message.error)
