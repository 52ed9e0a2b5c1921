"""A client's connection on the server: its link and its session, which live and end together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import trio

from aip_trio.actors import ActorRef, ChildSpec, StopReason, Supervisor
from aip_trio.endpoints.server._constellation_session import ConstellationSession
from aip_trio.endpoints.server._device_session import DeviceSession
from aip_trio.endpoints.server._hub import Hub
from aip_trio.errors import PeerError, TransportClosed, TransportError
from aip_trio.messages import (
    ClientMessage,
    ClientType,
    CommandResults,
    ErrorFromServer,
    Register,
    narrow_client,
    widen_server,
)
from aip_trio.protocol import Admission, AIPProtocol, Link, timestamp

__all__ = ["Connection"]


_ADMISSION = Admission()

#: Seconds that a client has to hear why it is thrown out; its tasks wait for that.
_FAREWELL = 1.0


class ServerLink(Link):
    """Lets through what the registered client may send (wire/aip.md, 2), as narrow messages."""

    def __init__(self, protocol: AIPProtocol, register: Register, tasks: Mapping[str, ActorRef]) -> None:
        super().__init__(protocol)
        self._register = register
        self._tasks = tasks
        self._patience = math.inf

    def lost(self, error: TransportError) -> None:
        """End; soon, where it was not this side that closed the connection."""
        if not isinstance(error, TransportClosed):
            self._patience = _FAREWELL
        super().lost(error)

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Close the connection."""
        with trio.move_on_after(self._patience):
            await super().stopping(reason)

    def recipient(self, message: object, target: ActorRef) -> ActorRef:
        """Results go straight to their task, if it is this device's; all else to the session."""
        if isinstance(message, CommandResults):
            return self._tasks.get(message.session_id, target)
        return target

    async def incoming(self, data: bytes) -> object | None:
        """A message for the session; None where it went no further, and the client was told why."""
        try:
            wide = await self.protocol.unpack(data, ClientMessage)
            fault = _ADMISSION.check(wide, self._register, data)
            if fault is None:
                return narrow_client(wide)
        except PeerError as error:
            fault = str(error)
        refusal = ErrorFromServer(fault, response_id=self.system.environment.new_id())
        await self.protocol.send_message(widen_server(refusal, timestamp=timestamp()))
        return None


class Connection(Supervisor):
    """Ends, in order, when the link or the session does: a lost connection is nobody's crash."""

    def __init__(self, hub: Hub, protocol: AIPProtocol, register: Register, websocket: object) -> None:
        super().__init__(strategy="one_for_all", auto_shutdown="any_significant")
        #: that the device does: kept by its session, read by its link
        tasks: dict[str, ActorRef] = {}
        self._link = protocol, register, tasks
        self._session = hub, protocol, register, websocket, tasks

    def children(self) -> Iterable[ChildSpec]:
        """The link first: the session speaks through it."""
        _, register, _ = self._link
        session = DeviceSession if register.client_type is ClientType.DEVICE else ConstellationSession
        yield ChildSpec("link", ServerLink, *self._link, restart="temporary", significant=True)
        yield ChildSpec("session", session, *self._session, restart="temporary", significant=True)
