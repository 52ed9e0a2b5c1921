"""Which physical connection carries a session."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from aip_trio.errors import ConnectionLost, DecodeError, LinkFault, MessageTooLarge, TransportError
from aip_trio.protocol.link._attachment import Attachment, Ending
from aip_trio.protocol.link._fate import Fate
from aip_trio.protocol.link._flag import Flag
from aip_trio.protocol.link._frames import Bye
from aip_trio.protocol.link._inbox import Inbox
from aip_trio.protocol.link._limits import LinkLimits
from aip_trio.protocol.link._machine import LinkState
from aip_trio.protocol.link._session import LinkSession
from aip_trio.protocol.link._vigil import Vigil
from aip_trio.protocol.link._wire import Wire
from aip_trio.transport import Transport

__all__ = ["Carrier"]

logger = logging.getLogger("aip_trio.protocol")

#: RFC 6455, 7.4.1.
_PROTOCOL_ERROR = 1002
_TOO_BIG = 1009


class Carrier:
    """Attaches one connection after another to a session, each claimed first; the last claim wins."""

    __slots__ = (
        "_claim",
        "_fate",
        "_inbox",
        "_limits",
        "_room",
        "_session",
        "_subprotocol",
        "_vigil",
        "_wire",
        "arrived",
        "attachment",
        "last_heard",
        "peer",
    )

    def __init__(
        self,
        session: LinkSession,
        fate: Fate,
        vigil: Vigil,
        wire: Wire,
        subprotocol: str,
        inbox: Inbox,
        room: trio.lowlevel.ParkingLot,
        limits: LinkLimits,
    ) -> None:
        self._session = session
        self._fate = fate
        self._vigil = vigil
        self._wire = wire
        self._subprotocol = subprotocol
        self._inbox = inbox
        self._room = room
        self._limits = limits
        self._claim: tuple[Transport, int] | None = None
        #: what carries it now
        self.attachment: Attachment | None = None
        #: set while something does, and once the session is over
        self.arrived = Flag()
        #: when the last one brought a frame
        self.last_heard = trio.current_time()
        #: the name of who is at the other end of the last one
        self.peer = "nobody"

    def claim(self, physical: Transport, peer_seen: int) -> bool:
        """As `LinkTransport.claim`."""
        self._fate.look()
        if self.attachment is not None:
            self.detach(self.attachment)
        if physical.subprotocol != self._subprotocol:
            self._fate.lose(f"the peer speaks {physical.subprotocol} now")
        elif not self._session.can_resume(peer_seen):
            self._fate.lose(f"the peer says that it has seen={peer_seen}, which cannot be")
        if self._session.over:
            return False
        self._claim = (physical, peer_seen)
        return True

    def is_claimed_by(self, physical: Transport) -> bool:
        """As `LinkTransport.is_claimed_by`."""
        return self._claim is not None and self._claim[0] is physical and not self._session.over

    async def carry(self, physical: Transport, beside: Callable[[], Awaitable[object]] | None) -> None:
        """As `LinkTransport.carry`. A checkpoint."""
        if self._claim is None or not self.is_claimed_by(physical):
            await self._turn_away(physical)
            return
        (_, peer_seen), self._claim = self._claim, None
        attachment = self._attach(physical, peer_seen)
        try:
            ending = await attachment.run(beside)
            if self.attachment is attachment:
                await self._finish(physical, ending)
        finally:
            self.detach(attachment)
            with trio.CancelScope(shield=True):  # waits for nobody
                await physical.drop()
            attachment.ended.set()

    async def _turn_away(self, physical: Transport) -> None:
        """Another one has replaced it, or the session was over before it began: then the peer is told."""
        last = self._claim is not None and self._claim[0] is physical
        try:
            if last and self._session.state is LinkState.CLOSED:
                with trio.move_on_after(self._limits.close_timeout), suppress(TransportError):
                    await physical.send(self._wire.frame(Bye()))
                    await physical.close()
        finally:
            with trio.CancelScope(shield=True):  # waits for nobody
                await physical.drop()

    def _attach(self, physical: Transport, peer_seen: int) -> Attachment:
        self._session.attached(peer_seen)
        self.attachment = attachment = Attachment(
            physical, self._session, self._wire, self._inbox, self._released
        )
        self.peer = str(getattr(physical, "peer", "unknown"))
        self._vigil.until()
        self.arrived.set()
        self._room.unpark_all()
        return attachment

    def _released(self) -> None:
        """There is room: seldom does anybody wait for that."""
        if self._room:
            self._room.unpark_all()

    async def _finish(self, physical: Transport, ending: Ending) -> None:  # noqa: ASYNC910 - not called from outside
        """Do what its end asks for."""
        if isinstance(ending, Bye):
            self._fate.dismiss(ending)
            with trio.move_on_after(self._limits.close_timeout):
                await physical.close()
        elif isinstance(ending, (DecodeError, LinkFault)):
            self._fate.lose(str(ending), ending)
            with trio.move_on_after(self._limits.close_timeout), suppress(TransportError):
                await physical.send(self._wire.frame(Bye(_PROTOCOL_ERROR, str(ending)[:500])))
                await physical.close()
        elif _too_big(ending):
            self._fate.lose("a message is larger than the other end's max_size: send it in parts", ending)
        elif ending is not None and not self._session.over:
            logger.info("the link with %s has lost its socket, and waits for another: %s", self.peer, ending)

    def detach(self, attachment: Attachment) -> None:
        """It carries nothing any more, from this moment on."""
        attachment.end()
        if self.attachment is not attachment:
            return
        self.last_heard = max(self.last_heard, attachment.heard)
        self.attachment = None
        if not self._session.over:
            self.arrived = Flag()
            self._session.detached(trio.current_time())
            self._vigil.until(self._session.deadline)
            self._inbox.nudge()
            self._fate.look()


def _too_big(ending: TransportError | None) -> bool:
    """Whether one end refuses to read what the other would send again on every new connection, for ever."""
    return isinstance(ending, MessageTooLarge) or (
        isinstance(ending, ConnectionLost) and ending.code == _TOO_BIG
    )
