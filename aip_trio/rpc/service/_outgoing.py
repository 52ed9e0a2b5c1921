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
    """A bounded queue from all threads to the one task that publishes; it outlives that task.

    What is put waits for a turn of the scheduler even where nothing else does. To publish it at once was
    measured: a tenth fewer events in a second, because libzmq's thread then has to be woken for each.

    A signal's handler, and a finalizer, may put as well: at any moment, one within `put` or within Trio's own
    code included. Hence the lock that its own thread may take again, and the one way to wake who waits.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._lock = threading.RLock()
        self._waiting = self._closed = False
        self._lot = trio.lowlevel.ParkingLot()
        self._token: trio.lowlevel.TrioToken | None = None
        #: messages that found no room
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._messages)

    def open(self) -> None:
        """Called in the run of the task that publishes."""
        self._token = trio.lowlevel.current_trio_token()

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
            self._waiting = True  # before it looks: what is put in between has to wake it
            if self._messages:
                self._waiting = False
        if self._waiting:
            await self._lot.park()
        else:
            await trio.lowlevel.checkpoint()

    def _wake(self) -> None:
        if self._token is not None:
            with suppress(trio.RunFinishedError):  # it will never be published, as nothing after a stop is
                self._token.run_sync_soon(self._lot.unpark_all)
