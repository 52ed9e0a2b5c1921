"""Connections of trio-websocket that were opened here."""

from __future__ import annotations

from contextlib import suppress

import trio

from aip_trio.errors import ConnectionLost, PeerSilent, TransportError
from aip_trio.transport._codes import ABNORMAL
from aip_trio.transport._keepalive import Beat, Keepalive
from aip_trio.transport._life import Life
from aip_trio.transport._opened import Hosted, peer_of
from aip_trio.transport._settings import Settings
from aip_trio.transport._trio_websocket import TrioWebSocketAdapter

__all__ = ["HostedWebSocket"]


class HostedWebSocket(TrioWebSocketAdapter):
    """One with a keepalive, and whose end is noticed by itself: both is what its task, `run`, is for.

    ``life`` is told of the end. A peer is not taken for silent while nobody receives: trio-websocket reads
    no pongs behind a message that waits.
    """

    def __init__(self, hosted: Hosted, *, settings: Settings, life: Life) -> None:
        super().__init__(hosted.websocket, settings)
        self.life = life
        self._stream = hosted.stream
        self._over = hosted.over
        self._keepalive = Keepalive(settings.ping_interval, settings.ping_timeout, trio.current_time())
        self._listening_since = trio.current_time()
        self._pinging = False
        self._waiting: set[trio.CancelScope] = set()  # for pongs
        self._silence: float | None = None

    async def receive_auto(self) -> str | bytes:
        if not self._receiving:
            self._listening_since = trio.current_time()
        return await super().receive_auto()

    async def ping(self) -> None:
        with trio.CancelScope() as scope:  # trio-websocket would wait beyond the end
            self._waiting.add(scope)
            try:
                await super().ping()
            finally:
                self._waiting.remove(scope)
        if scope.cancelled_caught:
            raise self._loss("ping()")

    @property
    def peer(self) -> str:
        return peer_of(self._stream)

    async def run(self) -> None:
        """Look after the connection until it is over. A checkpoint; raises nothing."""
        try:
            async with trio.open_nursery() as pings:
                await self._keep_alive(pings)
                pings.cancel_scope.cancel()
            self._conclude()
        finally:
            if self.life.connected:  # cancelled
                self._closed_here = True
                self.life.end(None)
            self._note(ABNORMAL, "")
            for scope in self._waiting:
                scope.cancel()
            await self._abort()  # noqa: ASYNC102 - ends at once

    async def _keep_alive(self, pings: trio.Nursery) -> None:  # noqa: ASYNC910 - not called from outside
        while not self._over.is_set():
            with trio.move_on_at(self._keepalive.due(self._quiet_since)):
                await self._over.wait()
                return
            now, quiet_since = trio.current_time(), self._quiet_since
            beat = self._keepalive.beat(now, quiet_since)
            if beat is Beat.GIVE_UP:
                self._silence = round(now - quiet_since, 3)
                return
            if beat is Beat.PING and not self._pinging:  # one on its way is enough
                self._pinging = True
                pings.start_soon(self._ping)

    @property
    def _quiet_since(self) -> float:
        return max(self._last_heard, self._listening_since) if self._receiving else trio.current_time()

    async def _ping(self) -> None:  # noqa: ASYNC910 - not called from outside
        with suppress(TransportError):
            await self.ping()
        self._pinging = False

    def _conclude(self) -> None:
        """It is over, and not by this side."""
        if self._silence is None and self._websocket.closed is not None:
            self._note(int(self._websocket.closed.code), self._websocket.closed.reason)
        self._note(ABNORMAL, "")
        if self.life.connected:
            loss = self._loss("receive()")
            if isinstance(loss, ConnectionLost) and loss.code != ABNORMAL:
                self.life.end(loss)
            else:
                self.life.fail(loss)

    def _loss(self, call: str) -> TransportError:
        return super()._loss(call) if self._silence is None else PeerSilent(self._silence)
