"""Keeps time over a service's heartbeats, and tells whoever wants to know."""

from __future__ import annotations

import math
from collections import deque
from types import TracebackType
from typing import Self

import attrs
import trio

from aip_trio.actors import Actor, Timer, handles
from aip_trio.rpc.client._presence import Presence, PresenceDetector
from aip_trio.rpc.client._published import Heartbeat

__all__ = ["Beat", "PresenceBoard", "PresenceChanges", "PresenceKeeper"]

#: Seconds by which this process is held up, if it looks later than that: what came meanwhile is read first.
_HELD_UP = 0.1

#: Changes that wait to be read; the oldest make room.
_MOST_CHANGES = 64


@attrs.frozen
class Beat:
    """A heartbeat has come."""

    heartbeat: Heartbeat


@attrs.frozen
class _Look:
    """It may be time that something is missed."""

    due: float


class PresenceBoard:
    """What is known of the service, for all who want to know; it outlives the actor that writes it."""

    def __init__(self) -> None:
        self.detector = PresenceDetector(trio.current_time())
        self._readers: set[PresenceChanges] = set()

    @property
    def presence(self) -> Presence:
        """What is known now."""
        return self.detector.presence

    def changed(self) -> None:
        """Something else is known now."""
        for reader in self._readers:
            reader.put(self.presence)

    def add(self, reader: PresenceChanges) -> None:
        """Tell it, beginning with what is known now."""
        self._readers.add(reader)
        reader.put(self.presence)

    def remove(self, reader: PresenceChanges) -> None:
        """Tell it nothing more."""
        self._readers.discard(reader)


class PresenceChanges:
    """What is known of a service, now and whenever it becomes something else.

    Used as ``async with client.presence_changes() as changes: async for presence in changes:``. Of more than
    64 that nobody has read the oldest are left out.
    """

    def __init__(self, board: PresenceBoard) -> None:
        self._board = board
        self._waiting: deque[Presence] = deque(maxlen=_MOST_CHANGES)
        self._news = trio.lowlevel.ParkingLot()

    def put(self, presence: Presence) -> None:
        """One more."""
        self._waiting.append(presence)
        self._news.unpark_all()

    async def __aenter__(self) -> Self:
        await trio.lowlevel.checkpoint()  # before: cancelled here, nobody would remove it
        self._board.add(self)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._board.remove(self)
        await trio.lowlevel.checkpoint()  # noqa: ASYNC102 - all is done already

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Presence:
        await trio.lowlevel.checkpoint()
        while not self._waiting:
            await self._news.park()
        return self._waiting.popleft()


class PresenceKeeper(Actor):
    """Is told the heartbeats, and looks when one is due."""

    def __init__(self, board: PresenceBoard) -> None:
        self._board = board
        self._timer: Timer | None = None
        self._looks_at = math.inf

    async def started(self) -> None:  # noqa: ASYNC910 - not called from outside
        """Keep time where its last incarnation did."""
        self._look_again()

    @handles
    async def beat(self, message: Beat) -> None:  # noqa: ASYNC910 - not called from outside
        """A heartbeat has come."""
        if self._board.detector.heard(message.heartbeat, trio.current_time()):
            self._board.changed()
        self._look_again()

    @handles
    async def look(self, message: _Look) -> None:  # noqa: ASYNC910 - not called from outside
        """It may be time."""
        self._looks_at = math.inf
        now = trio.current_time()
        if now - message.due > _HELD_UP:
            self._look_at(now + _HELD_UP, math.inf)
            return  # noqa: ASYNC910 - not called from outside
        if self._board.detector.tick(now):
            self._board.changed()
        self._look_again()

    def _look_again(self) -> None:
        wake = self._board.detector.wake
        if wake < self._looks_at:  # a later one is looked for when this one has come
            self._look_at(wake, max(wake, trio.current_time()))

    def _look_at(self, time: float, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = time
        self._timer = self.after(max(0.0, time - trio.current_time()), _Look(due))
