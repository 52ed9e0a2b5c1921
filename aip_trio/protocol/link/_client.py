"""The client's side of a link: it dials, and dials again."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable

import attrs
import trio

from aip_trio.actors import current_environment, current_nursery
from aip_trio.errors import LinkRefused, NoSystem
from aip_trio.protocol.link._frames import Hello
from aip_trio.protocol.link._hail import hail
from aip_trio.protocol.link._limits import LinkLimits
from aip_trio.protocol.link._transport import LinkTransport
from aip_trio.protocol.link._wire import Wire, wire_of
from aip_trio.resilience import Backoff
from aip_trio.transport import Transport

__all__ = ["open_link"]

logger = logging.getLogger("aip_trio.protocol")

#: Between tries to resume. The window is what ends them.
_BACKOFF = Backoff(initial=0.1, maximum=5.0)


async def open_link(
    dial: Callable[[], Awaitable[Transport]],
    *,
    backoff: Backoff = _BACKOFF,
    limits: LinkLimits = LinkLimits(),  # noqa: B008 - frozen
    window_limit: float = math.inf,
) -> Transport:
    """A link over the connections that ``dial`` makes. A checkpoint.

    ``dial`` returns a new, connected transport on which `SUBPROTOCOLS` were offered. Where the server agreed
    to `aip.v2` the result is a `LinkTransport`, whose task lives in the nursery of the actor that calls, else
    in the system's: it dials again where a connection is lost, at once and then as ``backoff`` says, until
    the session is resumed or its window is over (the server's, or ``window_limit`` seconds if that is less).
    Else the result is the transport itself.

    Raises what ``dial`` does, LinkRefused, TransportError, NoSystem.
    """
    nursery = current_nursery()
    if nursery is None:
        raise NoSystem("open_link()")
    physical = await dial()
    wire, subprotocol = wire_of(physical.subprotocol), physical.subprotocol
    if wire is None or subprotocol is None:
        return physical
    try:
        welcome = await hail(physical, wire, Hello())
        window = min(welcome.window, window_limit)
        link = LinkTransport(welcome.session, wire, subprotocol, window=window, limits=limits)
        if not link.claim(physical, welcome.seen):
            raise LinkRefused("", "the server has seen messages of a session that is new")
    except BaseException:
        with trio.CancelScope(shield=True):  # waits for nobody
            await physical.drop()
        raise
    client = _Client(dial, wire, link, welcome.secret, backoff, limits)
    nursery.start_soon(client.run, physical)
    return link


@attrs.define(eq=False)
class _Client:
    """Keeps a link carried, until it is over."""

    _dial: Callable[[], Awaitable[Transport]]
    _wire: Wire
    _link: LinkTransport
    _secret: str = attrs.field(repr=False)
    _backoff: Backoff
    _limits: LinkLimits
    _failures: int = attrs.field(default=0, init=False)

    async def run(self, physical: Transport | None) -> None:  # noqa: ASYNC910 - not called from outside
        """The link's task. Raises nothing but what ``dial`` raises beside OSErrors."""
        link = self._link
        try:
            while physical is not None:
                before = link.progress
                await link.carry(physical)
                if link.progress != before:  # that connection was of some use
                    self._failures = 0
                physical = await self._redial()
        finally:
            link.abandon("the task that looked after it has ended")

    async def _redial(self) -> Transport | None:
        """Another connection, which has claimed the link; None: it is over."""
        link = self._link
        with trio.CancelScope(deadline=link.deadline) as redialing:
            link.on_end = redialing.cancel
            while link.is_connected:
                if self._failures:
                    draw = current_environment().random.random()
                    await trio.sleep(self._backoff.delay(self._failures, draw))
                self._failures += 1
                physical = await self._try()
                if physical is not None:
                    return physical
                if self._backoff.exhausted(self._failures):
                    link.abandon(f"{self._failures} tries to resume it have failed")
        return None  # noqa: ASYNC910 - not called from outside

    async def _try(self) -> Transport | None:
        link, physical, claimed = self._link, None, False
        try:
            with trio.move_on_after(self._limits.resume_timeout):
                physical = await self._dial()
                if wire_of(physical.subprotocol) is not self._wire:
                    raise LinkRefused(link.name, f"the server speaks {physical.subprotocol} now")
                welcome = await hail(physical, self._wire, Hello(link.name, self._secret, link.seen))
                claimed = link.claim(physical, welcome.seen)
        except LinkRefused as refusal:
            logger.info("%s", refusal)
            if refusal.__cause__ is None:
                link.abandon(f"the server refuses to resume it: {refusal.reason}")
        except OSError as error:
            logger.debug("session %s: %s", link.name, error)
        finally:
            if physical is not None and not claimed:
                with trio.CancelScope(shield=True):  # waits for nobody
                    await physical.drop()
        return physical if claimed else None  # noqa: ASYNC910 - not called from outside
