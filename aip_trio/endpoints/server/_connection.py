"""A client's connection on the server: its link and its session, which live and end together."""

from __future__ import annotations

import math
from collections.abc import Iterable

import trio

from aip_trio.actors import ChildSpec, StopReason, Supervisor
from aip_trio.endpoints.server._constellation_session import ConstellationSession
from aip_trio.endpoints.server._device_session import DeviceSession
from aip_trio.endpoints.server._hub import Hub
from aip_trio.errors import PeerError, TransportClosed, TransportError
from aip_trio.messages import (
    ClientMessage,
    ClientType,
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

    def __init__(self, protocol: AIPProtocol, register: Register) -> None:
        super().__init__(protocol)
        self._register = register
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
        self._arguments = hub, protocol, register, websocket

    def children(self) -> Iterable[ChildSpec]:
        """The link first: the session speaks through it."""
        _, protocol, register, _ = self._arguments
        session = DeviceSession if register.client_type is ClientType.DEVICE else ConstellationSession
        yield ChildSpec("link", ServerLink, protocol, register, restart="temporary", significant=True)
        yield ChildSpec("session", session, *self._arguments, restart="temporary", significant=True)
