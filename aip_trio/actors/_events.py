"""What happens in a system, for whoever wants to know."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum

import attrs
from trio import BusyResourceError
from trio.lowlevel import checkpoint_if_cancelled, enable_ki_protection

from aip_trio.actors._answer import Answer

__all__ = [
    "Crashed",
    "DeadLetter",
    "DeadLetterReason",
    "Escalated",
    "Event",
    "EventBus",
    "EventSubscription",
    "Restarted",
    "Started",
    "Stopped",
]


@attrs.frozen
class Event:
    """Something that happened to the actor at this path; ``uid`` tells apart two with one path."""

    path: str
    uid: int


@attrs.frozen
class Started(Event):
    """An actor is up for the first time."""


@attrs.frozen
class Restarted(Event):
    """An actor is up again; ``restarts`` counts how often it was started again."""

    restarts: int


@attrs.frozen
class Stopped(Event):
    """An actor ended in order: by itself, or because it was told to."""


@attrs.frozen
class Crashed(Event):
    """An actor ended with an exception."""

    error: BaseException


@attrs.frozen
class Escalated(Event):
    """A supervisor gave up and crashes itself."""

    error: BaseException


class DeadLetterReason(Enum):
    """Why a message was not handled."""

    CRASHED = "crashed"  #: the actor crashed while it had it in hand
    CANCELLED = "cancelled"  #: the actor was cancelled while it had it in hand
    STOPPED = "stopped"  #: the actor ended with it in its mailbox
    OVERFLOW = "overflow"  #: the mailbox was full, and its policy is to drop
    UNHANDLED = "unhandled"  #: the actor has no handler for it


@attrs.frozen
class DeadLetter(Event):
    """A message that was not handled, and why; ``sender`` is a path, or None from outside of actors."""

    message: object
    reason: DeadLetterReason
    sender: str | None = None
    error: BaseException | None = None


class EventSubscription:
    """An async iterator over events, with a bounded buffer.

    A subscriber that falls behind loses the oldest; ``dropped`` counts them. It ends when the system
    has closed.
    """

    def __init__(self, capacity: int) -> None:
        self.dropped = 0
        self._buffer: deque[Event] = deque(maxlen=capacity)
        self._waiting: Answer[None] | None = None
        self._closed = False

    def _offer(self, event: Event) -> None:
        if len(self._buffer) == self._buffer.maxlen:
            self.dropped += 1
        self._buffer.append(event)
        self._wake()

    def _close(self) -> None:
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.send(None)

    def __aiter__(self) -> EventSubscription:
        return self

    @enable_ki_protection
    async def __anext__(self) -> Event:
        await checkpoint_if_cancelled()
        while not self._buffer:
            if self._closed:
                raise StopAsyncIteration
            if self._waiting is not None:
                raise BusyResourceError("another task waits for the next event: subscribe once for each")
            self._waiting = Answer()
            try:
                await self._waiting.wait()
            finally:
                self._waiting = None
        return self._buffer.popleft()


class EventBus:
    """Gives every event to every subscriber. Publishing never waits."""

    def __init__(self) -> None:
        self._subscriptions: list[EventSubscription] = []
        self._closed = False

    @property
    def watched(self) -> bool:
        """Whether anybody listens: an event for nobody need not be made."""
        return bool(self._subscriptions)

    @contextmanager
    def subscribe(self, *, capacity: int = 1024) -> Generator[EventSubscription]:
        """Events from now on: ``with system.events.subscribe() as events: async for event in events``."""
        subscription = EventSubscription(capacity)
        if self._closed:
            subscription._close()
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
            subscription._close()  # a task that still iterates over it comes to an end

    def publish(self, event: Event) -> None:
        """Give it to every subscriber."""
        for subscription in self._subscriptions:
            subscription._offer(event)

    def close(self) -> None:
        """No more events: subscribers end after those that wait."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription._close()
