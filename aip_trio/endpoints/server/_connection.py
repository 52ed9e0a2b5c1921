"""A client's connection on the server: its link and its session, which live and end together."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

import trio

from aip_trio.actors import ChildSpec, StopReason, Supervisor
from aip_trio.endpoints.server._constellation_session import ConstellationSession
from aip_trio.endpoints.server._device_session import DeviceSession
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._turns import OpenTurns
from aip_trio.endpoints.server._withheld import answer_to
from aip_trio.errors import MiddlewareFailed, PeerError, PeerTooSlow, TransportClosed, TransportError
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ClientType,
    CommandResults,
    ErrorFromServer,
    FromClient,
    FromServer,
    Register,
    narrow_client,
    widen_server,
)
from aip_trio.protocol import Admission, AIPProtocol, Link, LinkTransport, timestamp
from aip_trio.transport import ConnectingTransport

__all__ = ["GOING_AWAY", "Connection"]

#: RFC 6455, 7.4.1
GOING_AWAY = 1001

logger = logging.getLogger("aip_trio.endpoints")

_ADMISSION = Admission()

#: Seconds that a client has to hear why it is thrown out; its tasks wait for that.
_FAREWELL = 1.0


class ServerLink(Link):
    """Lets through what the registered client may send (wire/aip.md, 2), as narrow messages."""

    def __init__(self, hub: Hub, protocol: AIPProtocol, register: Register, turns: OpenTurns) -> None:
        super().__init__(protocol)
        self._hub = hub
        self._register = register
        self._turns = turns
        self._patience = math.inf

    def lost(self, error: TransportError) -> None:
        """End; soon, where it was not this side that closed the connection."""
        if not isinstance(error, TransportClosed):
            self._patience = _FAREWELL
        if isinstance(error, PeerTooSlow):
            self._hub.directory.tally.slow += 1
            logger.warning("client %s was closed: %s", self._register.client_id, error)
        super().lost(error)

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Close the connection, and say so where it is because the whole server stops."""
        with trio.move_on_after(self._patience):
            if self._hub.directory.closing and isinstance(
                self.transport, (ConnectingTransport, LinkTransport)
            ):
                await self.transport.close(GOING_AWAY, "server stopping")
            await super().stopping(reason)

    def _settled(self, message: FromClient, size: int) -> FromClient | None:
        """Results are settled at once: the task that waits for them runs next. Others are returned."""
        if isinstance(message, CommandResults) and self._register.client_type is ClientType.DEVICE:
            self._turns.settle(message, size)
            return None
        return message

    def _withheld(self, message: ClientMessage, reason: str) -> None:
        """Middleware keeps it back: of results, the task that waits for them fails."""
        if message.type is ClientMessageType.COMMAND_RESULTS and message.session_id is not None:
            self._turns.fail(message.session_id, message.prev_response_id, reason)

    async def incoming(self, data: bytes) -> object | None:
        """A message for the session. None: results, which are with who waits for them; or it went no further,
        and the client was told why.
        """
        came = wide = None
        try:
            came = self.protocol.read(data, ClientMessage)
            wide = await self.protocol.admit(came)
            fault = _ADMISSION.check(wide, self._register, data, self.protocol.codec.format)
            if fault is None:
                return self._settled(narrow_client(wide), len(data))
        except (PeerError, MiddlewareFailed) as error:
            fault = self.protocol.refused(error)
            if came is not None and wide is None:
                self._withheld(came, fault)
        response_id = self.system.environment.new_id()
        refusal: FromServer
        if came is not None and wide is None:
            refusal = answer_to(came, fault, response_id)
        else:
            session_id = None if came is None else came.session_id
            refusal = ErrorFromServer(fault, response_id=response_id, session_id=session_id)
        await self.say(widen_server(refusal, timestamp=timestamp()))
        return None


class Connection(Supervisor):
    """Ends, in order, when the link or the session does: a lost connection is nobody's crash."""

    def __init__(self, hub: Hub, protocol: AIPProtocol, register: Register, websocket: object) -> None:
        super().__init__(strategy="one_for_all", auto_shutdown="any_significant")
        turns = OpenTurns()
        self._link = hub, protocol, register, turns
        self._session = hub, protocol, register, websocket, turns

    def children(self) -> Iterable[ChildSpec]:
        """The link first: the session speaks through it."""
        _, _, register, _ = self._link
        session = DeviceSession if register.client_type is ClientType.DEVICE else ConstellationSession
        yield ChildSpec("link", ServerLink, *self._link, restart="temporary", significant=True)
        yield ChildSpec("session", session, *self._session, restart="temporary", significant=True)
