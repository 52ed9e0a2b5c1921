"""What waits to be published; any thread puts it there."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress

import attrs
import trio

__all__ = ["Message", "Outgoing"]


@attrs.define(eq=False)
class Message:
    """What is to be published on a topic."""

    topic: int
    frame: bytes  #: the topic, as it is sent
    payload: bytes
    numbered: bool  #: it is a JSON object, and the history numbers it
    quoted: bool  #: it goes out as a JSON string, which is the dialect of 0.9


class Outgoing:
    """A bounded queue from all threads to the one task that publishes; it outlives that task."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._lock = threading.Lock()
        self._waiting = self._closed = False
        self._lot = trio.lowlevel.ParkingLot()
        self._token: trio.lowlevel.TrioToken | None = None
        self._thread = 0
        #: messages that found no room
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._messages)

    def open(self) -> None:
        """Called in the run, and the thread, of the task that publishes."""
        self._token = trio.lowlevel.current_trio_token()
        self._thread = threading.get_ident()

    def put(self, *messages: Message, past_limit: bool = False) -> bool:
        """Add messages that go out one after the other, all of them or none. False: no room, or closed."""
        with self._lock:
            if self._closed or (len(self._messages) + len(messages) > self._limit and not past_limit):
                self.dropped += len(messages)
                return False
            self._messages.extend(messages)
            wake, self._waiting = self._waiting, False
        if wake:
            self._wake()
        return True

    def close(self) -> None:
        """Take no more; what is there can still be taken out."""
        with self._lock:
            self._closed = True

    def take(self) -> Message:
        """The message that has waited longest. IndexError: none waits."""
        return self._messages.popleft()

    async def wait(self) -> None:
        """Wait until there is something to take. A checkpoint."""
        with self._lock:
            self._waiting = not self._messages
        if self._waiting:
            await self._lot.park()
        else:
            await trio.lowlevel.checkpoint()

    def _wake(self) -> None:
        if threading.get_ident() == self._thread:
            self._lot.unpark_all()
        elif self._token is not None:
            with suppress(trio.RunFinishedError):  # it will never be published, as nothing after a stop is
                self._token.run_sync_soon(self._lot.unpark_all)
