"""The server's side of links: the sessions, which outlive connections."""

from __future__ import annotations

import hmac
import logging
import math
from contextlib import suppress

import attrs
import trio

from aip_trio.actors import current_environment
from aip_trio.errors import DecodeError, InvalidSpec, LinkFault, LinkRefused, TransportError
from aip_trio.protocol.link._frames import Bye, Gone, Hello, Welcome
from aip_trio.protocol.link._limits import LinkLimits
from aip_trio.protocol.link._transport import LinkTransport
from aip_trio.protocol.link._wire import SUBPROTOCOLS, Wire, wire_of
from aip_trio.transport import Transport

__all__ = ["LinkServer"]

logger = logging.getLogger("aip_trio.protocol")

#: The same for an unknown session, one that is over, and a wrong secret.
_GONE = "there is no such session"
_PROTOCOL_ERROR = 1002
_TRY_AGAIN = 1013
#: Seconds in which a new session has to be carried, however short the window is.
_FIRST = 10.0
#: Seconds between looks for sessions whose window is over.
_SWEEP = 1.0


@attrs.frozen(eq=False)
class _Held:
    link: LinkTransport
    secret: str = attrs.field(repr=False)


class LinkServer:
    """The table of sessions that clients resume by id and secret.

    A session leaves it when it is closed or lost; ``window``: seconds for which a detached one is held, 0: a
    lost connection is lost at once. Beyond ``max_sessions`` the one that has been detached for longest is
    lost; where all are attached, new ones are refused.

    Raises InvalidSpec.
    """

    def __init__(
        self,
        *,
        window: float = 120.0,
        limits: LinkLimits = LinkLimits(),  # noqa: B008 - frozen
        max_sessions: int = 20_000,
    ) -> None:
        if not 0 <= window < math.inf:
            raise InvalidSpec("window", window, "give seconds, 0 or more")
        if max_sessions < 1:
            raise InvalidSpec("max_sessions", max_sessions, "give 1 or more")
        self._window = window
        self._limits = limits
        self._max_sessions = max_sessions
        self._sessions: dict[str, _Held] = {}
        self._nobody = current_environment().new_secret()
        self._swept = -math.inf

    def __len__(self) -> int:
        """How many sessions are held."""
        return len(self._sessions)

    def takes(self, physical: Transport) -> bool:
        """Whether a link was agreed on for this connection, so that it is for `accept`."""
        return wire_of(physical.subprotocol) is not None

    async def accept(self, physical: Transport) -> tuple[LinkTransport, bool]:
        """Answer the hello that is due on a new connection. A checkpoint, which the caller bounds in time.

        Returns the link, and whether it is resumed. Call ``await link.carry(physical)`` then, in the
        connection's own task; a resumed link has been taken from the connection that it had already.

        Raises LinkRefused where the client was told that there is no such session; DecodeError and LinkFault
        for what is no hello; TransportError; InvalidSpec where no link was agreed on.
        """
        subprotocol = physical.subprotocol
        wire = wire_of(subprotocol)
        if wire is None or subprotocol is None:
            raise InvalidSpec("subprotocol", subprotocol, f"agree on one of {', '.join(SUBPROTOCOLS[:2])}")
        data = await physical.receive()
        try:
            hello = wire.read(data)
            if not isinstance(hello, Hello):
                raise LinkFault("t", f"is {type(hello).__name__} where a Hello is due")
        except (DecodeError, LinkFault) as error:
            with suppress(TransportError):
                farewell = wire.frame(Bye(_PROTOCOL_ERROR, str(error)[:500]))
                await physical.send(farewell)  # noqa: ASYNC120 - a cancellation counts for more
            raise
        self._sweep()
        if hello.session:
            return await self._resume(physical, wire, hello), True
        return await self._begin(physical, wire, subprotocol), False

    async def _begin(self, physical: Transport, wire: Wire, subprotocol: str) -> LinkTransport:
        if not self._has_room():
            with suppress(TransportError):
                await physical.send(wire.frame(Bye(_TRY_AGAIN, "all sessions are taken: try again later")))
            raise LinkRefused("", f"all max_sessions={self._max_sessions} are taken")
        environment = current_environment()
        held = _Held(
            LinkTransport(
                environment.new_id(),
                wire,
                subprotocol,
                window=self._window,
                limits=self._limits,
                until=trio.current_time() + max(self._window, _FIRST),
                peer_names=physical.peer_names,
            ),
            environment.new_secret(),
        )
        link = held.link
        self._sessions[link.name] = held
        link.on_end = lambda: self._forget(link.name)
        link.claim(physical, 0)
        try:
            await self._welcome(physical, wire, held)
        except BaseException:
            link.abandon("its first connection has ended before it began")
            raise
        return link

    async def _resume(self, physical: Transport, wire: Wire, hello: Hello) -> LinkTransport:
        """Take the session from whatever carries it, and welcome the client who knows its secret."""
        held = self._sessions.get(hello.session)
        secret = self._nobody if held is None else held.secret
        known = hmac.compare_digest(secret.encode(), hello.secret.encode(errors="replace"))
        same = held is None or held.link.peer_names == physical.peer_names  # else the secret is stolen
        if held is None or not known or not same or not held.link.claim(physical, hello.seen):
            why = "unknown, or over" if held is None or known else "wrong secret"
            why = why if same else "another client's certificate"
            with suppress(TransportError):
                await physical.send(wire.frame(Gone(_GONE)))
            raise LinkRefused(hello.session, why)
        await self._welcome(physical, wire, held)
        if not held.link.is_claimed_by(physical):
            raise LinkRefused(hello.session, "meanwhile another connection has taken it over, or it is over")
        return held.link

    async def _welcome(self, physical: Transport, wire: Wire, held: _Held) -> None:
        link = held.link
        await physical.send(wire.frame(Welcome(link.name, held.secret, self._window, link.seen)))

    # The table

    def _forget(self, name: str) -> None:
        self._sessions.pop(name, None)

    def _sweep(self) -> None:
        """Lose the sessions whose window is over, and that nobody waits for."""
        now = trio.current_time()
        if now >= self._swept + _SWEEP:
            self._swept = now
            for held in list(self._sessions.values()):
                if held.link.deadline <= now:
                    held.link.abandon("its window is over")

    def _has_room(self) -> bool:
        if len(self._sessions) < self._max_sessions:
            return True
        first = min((held.link for held in self._sessions.values()), key=lambda link: link.deadline)
        if first.attached:
            return False
        first.abandon(f"max_sessions={self._max_sessions} are held, and it has been detached for longest")
        return True
