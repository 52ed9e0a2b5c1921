"""Heartbeats, sent at intervals."""

from __future__ import annotations

import logging
import math
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol, Self

import attrs
import trio

from aip_trio.errors import InvalidSpec, NoNursery
from aip_trio.resilience._groups import bare

__all__ = ["HeartbeatManager", "HeartbeatSender"]

logger = logging.getLogger("aip_trio.resilience")


class HeartbeatSender(Protocol):
    """What a manager needs of a protocol."""

    def is_connected(self) -> bool:
        """Whether it makes sense to send."""
        ...

    async def send_heartbeat(self, client_id: str, /) -> object:
        """Send one heartbeat."""
        ...


@attrs.define(eq=False)
class _Beat:
    interval: float
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    ended: trio.Event = attrs.field(factory=trio.Event)


class HeartbeatManager:
    """Sends heartbeats for any number of clients over one protocol, each at its interval.

    Its tasks run in the ``nursery`` given, or in its own, inside ``async with``, which ends them all::

        async with HeartbeatManager(protocol) as heartbeats:
            await heartbeats.start_heartbeat("dev-1")

    One that cannot be sent is skipped, and logged: who reads from the connection learns what has become of
    it, and a protocol that is connected again beats on. An exception that is no OSError is a mistake in the
    protocol, and leaves through the nursery.
    """

    def __init__(
        self,
        protocol: HeartbeatSender,
        default_interval: float = 30.0,
        *,
        nursery: trio.Nursery | None = None,
    ) -> None:
        self.protocol = protocol
        self.default_interval = _interval("default_interval", default_interval)
        self._given = nursery
        self._own: trio.Nursery | None = None
        self._opened: AbstractAsyncContextManager[trio.Nursery, bool | None] | None = None
        self._beats: dict[str, _Beat] = {}

    async def __aenter__(self) -> Self:
        self._opened = trio.open_nursery()
        self._own = await self._opened.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        assert self._opened is not None
        assert self._own is not None
        opened, nursery, self._opened, self._own = self._opened, self._own, None, None
        nursery.cancel_scope.cancel()
        try:
            return await opened.__aexit__(kind, error, traceback)  # noqa: ASYNC102 - all in it is cancelled
        except BaseExceptionGroup as group:
            alone = bare(group)
        if alone is error:
            return False  # noqa: ASYNC910 - a nursery's end is a checkpoint
        raise alone

    async def start_heartbeat(self, client_id: str, interval: float | None = None) -> None:
        """Send a heartbeat each ``interval`` seconds from now on; one that runs gets the new interval.

        A checkpoint.

        :raises NoNursery: it has no nursery to run in
        :raises InvalidSpec: no such interval
        """
        seconds = self.default_interval if interval is None else _interval("interval", interval)
        await self.stop_heartbeat(client_id)
        while client_id in self._beats:  # another task has started it meanwhile
            await self.stop_heartbeat(client_id)
        nursery = self._given if self._own is None else self._own
        if nursery is None:
            raise NoNursery("start_heartbeat()", "async with HeartbeatManager(protocol):")
        beat = self._beats[client_id] = _Beat(seconds)
        nursery.start_soon(self._run, client_id, beat)

    async def stop_heartbeat(self, client_id: str) -> None:
        """Send no more for this client; returns when its task has ended. A checkpoint."""
        beat = self._beats.pop(client_id, None)
        if beat is None:
            await trio.lowlevel.checkpoint()
        else:
            beat.scope.cancel()
            await beat.ended.wait()

    async def stop_all(self) -> None:
        """Send no more for anyone. A checkpoint."""
        await trio.lowlevel.checkpoint()
        beats = list(self._beats.values())
        self._beats.clear()
        for beat in beats:
            beat.scope.cancel()
        for beat in beats:
            await beat.ended.wait()

    def is_running(self, client_id: str) -> bool:
        """Whether heartbeats are sent for this client."""
        return client_id in self._beats

    def get_interval(self, client_id: str) -> float | None:
        """Seconds between its heartbeats, or None where none are sent."""
        beat = self._beats.get(client_id)
        return None if beat is None else beat.interval

    async def _run(self, client_id: str, beat: _Beat) -> None:
        try:
            with beat.scope:
                due = trio.current_time()
                while True:
                    now = trio.current_time()
                    # After a send that took longer than an interval: those missed are not made up for.
                    due = due + beat.interval if now < due + beat.interval else now + beat.interval
                    await trio.sleep_until(due)
                    await self._send(client_id)
        finally:
            beat.ended.set()
            if self._beats.get(client_id) is beat:
                del self._beats[client_id]

    async def _send(self, client_id: str) -> None:  # noqa: ASYNC910 - not called from outside
        if not self.protocol.is_connected():
            logger.debug("no heartbeat for %s: not connected", client_id, extra={"client_id": client_id})
            return  # noqa: ASYNC910 - the loop around it sleeps
        try:
            await self.protocol.send_heartbeat(client_id)
        except OSError as error:
            logger.warning("no heartbeat for %s: %s", client_id, error, extra={"client_id": client_id})


def _interval(name: str, value: float) -> float:
    if not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise InvalidSpec(name, value, "give seconds, more than 0")
    return value
