"""The link of a client's connection."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import trio

from aip_trio.actors import ActorRef, Reply, handles
from aip_trio.endpoints.connection._dial import Dial
from aip_trio.endpoints.connection._line import ClientLine
from aip_trio.endpoints.connection._messages import Enrol, Route, Taker, everything
from aip_trio.endpoints.connection._withheld import answer_to, word_of
from aip_trio.errors import (
    ConnectFailed,
    HandshakeRefused,
    MiddlewareFailed,
    PeerError,
    RegistrationRefused,
    TransportError,
)
from aip_trio.messages import ClientType, ErrorFromClient, ServerMessage, narrow_server
from aip_trio.protocol import Link, open_link
from aip_trio.transport import Transport

__all__ = ["ClientLink"]

logger = logging.getLogger("aip_trio.endpoints")


class ClientLink(Link):
    """Connects when it starts, and ends when the connection is lost; on a link that resumes, the session."""

    def __init__(self, dial: Dial) -> None:
        self._registration = dial.protocol()
        super().__init__(self._registration)
        self._dial = dial
        self._unused: Transport | None = self.transport
        self._routes: Mapping[type, ActorRef] = {}
        self._take: Taker = everything

    @handles
    async def route(self, message: Route) -> None:
        """Who gets what, past the session."""
        self._routes, self._take = message.routes, message.taker

    def recipient(self, message: object, target: ActorRef) -> ActorRef:
        """The actor that this class of message is for, else the session."""
        return self._routes.get(type(message), target)

    @property
    def _line(self) -> ClientLine:
        return ClientLine(self.protocol, self._dial.client_id, self._dial.client_type, self._dial.target_id)

    async def opened(self) -> None:
        """Connect. Raises TransportError."""
        with trio.move_on_after(self._dial.timeout) as patience:
            try:
                self.adopt(await open_link(self._connect, window_limit=self._dial.window_limit))
            except HandshakeRefused as refused:
                self._dial.refused(refused)
                raise
        if patience.cancelled_caught:
            raise ConnectFailed(self._dial.url, f"no answer within timeout={self._dial.timeout:g} s")

    async def _connect(self) -> Transport:
        """A connection for the link: the transport that there is, and then a new one each time."""
        transport, self._unused = self._unused or self._dial.transport(), None
        return await self._dial.connect(transport)

    @handles
    async def enrol(self, message: Enrol, reply: Reply[ClientLine]) -> None:
        """Register, in a task: a stop need not wait for the server's answer."""
        self.nursery.start_soon(self._enrol, reply)

    async def _enrol(self, reply: Reply[ClientLine]) -> None:  # noqa: ASYNC910 - internal
        dial = self._dial
        try:
            refusal = f"no answer within timeout={dial.timeout:g} s"
            accepted = False
            with trio.move_on_after(dial.timeout):
                accepted = await self._register()
                refusal = self._registration.refusal or "no reason given"
            if not accepted:
                refused = RegistrationRefused(dial.client_id, refusal)
                if self._registration.refusal and dial.client_type is ClientType.DEVICE:
                    dial.refused(refused)  # an orchestrator's device may come at any time
                raise refused
        except (RegistrationRefused, TransportError) as error:
            reply.fail(error)
        except PeerError as error:
            reply.fail(ConnectFailed(dial.url, f"its answer to the registration is none: {error}"))
        except Exception as error:  # noqa: BLE001 - the program's middleware's
            reply.fail(error)
        else:
            dial.refusals.welcomed()
            reply.send(self._line)

    async def _register(self) -> bool:
        dial = self._dial
        metadata = dict(dial.metadata())
        if dial.client_type is ClientType.DEVICE:
            return await self._registration.register_as_device(
                dial.client_id, metadata, dial.platform or "unknown"
            )
        return await self._registration.register_as_constellation(
            dial.client_id, dial.target_id or "", metadata
        )

    async def incoming(self, data: bytes) -> object | None:
        """A message for the session; None where it is dealt with, or made no sense and the server knows."""
        came = wide = None
        try:
            came = self.protocol.read(data, ServerMessage)
            wide = await self.protocol.admit(came)
            await self._observed(wide)
            return self._take(narrow_server(wide))
        except (PeerError, MiddlewareFailed) as error:
            reason = self.protocol.refused(error)
            logger.warning("%s: a message of the server goes no further: %s", self._dial.client_id, reason)
            withheld = came if wide is None else None
            answer = ErrorFromClient(reason) if withheld is None else answer_to(withheld, reason)
            await self.say(self._line.widened(answer))
            word = None if withheld is None else word_of(withheld, reason)
            return None if word is None else self._take(word)

    async def _observed(self, wide: ServerMessage) -> None:  # noqa: ASYNC910 - internal
        try:
            await self._dial.observe(wide)
        except Exception:
            logger.exception("%s: a message processor failed", self._dial.client_id)
