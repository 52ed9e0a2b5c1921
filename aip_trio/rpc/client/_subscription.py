"""What a service publishes, for one reader."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

import trio

from aip_trio.rpc._wire import Reply
from aip_trio.rpc.client._reader import Reader, SubscriptionStatistics, Typed

__all__ = ["Ask", "Latest", "Source", "Subscription"]

#: Typed events after which the scheduler has its turn, however many there are.
_IN_A_ROW = 64

#: Typed events that `Subscription.confirmed` keeps for later at most.
_MOST_KEPT = 100_000

#: Asks the service for events it has published. None: it has not answered.
Ask = Callable[[dict[str, object]], Awaitable[Reply | None]]


class Source(Protocol):
    """Where messages come from."""

    async def receive_many(self) -> Sequence[Sequence[bytes]]:
        """The messages that have come, at least one. A checkpoint."""
        ...


class Subscription:
    """``async for event in subscription:``, each typed; `RpcClient.subscribe` makes it.

    One task at a time reads it. What it is slow to read waits, as many messages as its queue holds; beyond
    that see `RpcClient.subscribe`. It raises ClosedResourceError when its block has been left.
    """

    def __init__(self, source: Source, reader: Reader, ask: Ask) -> None:
        self._source = source
        self._reader = reader
        self._ask = ask
        self._in_a_row = 0
        self._busy = False

    @property
    def statistics(self) -> SubscriptionStatistics:
        """What has happened so far."""
        return self._reader.statistics

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Typed:
        """The next event.

        It can be cancelled whenever it is called; the other tasks have their turn where it waits, and at
        least once in 64 events.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        ready = self._reader.ready
        if not ready:
            await self._wait()
            self._in_a_row = 0
        elif self._in_a_row >= _IN_A_ROW:
            await trio.lowlevel.checkpoint()
            self._in_a_row = 0
        self._in_a_row += 1
        return ready.popleft()

    async def receive_many(self) -> list[Typed]:
        """All events that are ready, at least one. A checkpoint. Faster than one by one."""
        ready = self._reader.ready
        if ready:
            await trio.lowlevel.checkpoint()
        else:
            await self._wait()
        events = list(ready)
        ready.clear()
        return events

    async def confirmed(self) -> None:
        """Wait for a sign that the service knows of this subscription. A checkpoint.

        What it publishes from then on is delivered, or told as a Gap where the service numbers its messages.
        The sign is a heartbeat, which may take as long as the service's heartbeats are apart. What comes
        before it is delivered later.
        """
        await trio.lowlevel.checkpoint()
        while not self._reader.confirmed and len(self._reader.ready) < _MOST_KEPT:
            await self._more()

    async def _wait(self) -> None:  # noqa: ASYNC910 - not called from outside
        while not self._reader.ready:
            await self._more()

    async def _more(self) -> None:
        if self._busy:
            raise trio.BusyResourceError("another task reads this subscription")
        self._busy = True
        reader = self._reader
        try:
            recovery = reader.recovery
            if recovery is None:
                reader.take(await self._source.receive_many())
            elif (reply := await self._ask(recovery.request)) is None:
                reader.unanswered()
            else:
                reader.answered(reply)
        finally:
            self._busy = False


class Latest:
    """The last messages that have come: what is not read in time makes room for later ones."""

    def __init__(self, source: Source, reader: Reader, limit: int) -> None:
        self._source = source
        self._reader = reader
        self._messages: deque[Sequence[bytes]] = deque(maxlen=limit)
        self._dropped = 0
        self._news = trio.lowlevel.ParkingLot()
        self._closed = False

    async def run(self) -> None:  # noqa: ASYNC910 - not called from outside
        """Receive, until the source is closed."""
        messages = self._messages
        try:
            while True:
                came = await self._source.receive_many()
                assert messages.maxlen is not None
                self._dropped += max(0, len(messages) + len(came) - messages.maxlen)
                messages.extend(came)
                self._news.unpark_all()
        except trio.ClosedResourceError:
            pass
        finally:
            self._closed = True
            self._news.unpark_all()

    async def receive_many(self) -> Sequence[Sequence[bytes]]:
        """The messages that have come, at least one. A checkpoint."""
        await trio.lowlevel.checkpoint()
        while not self._messages:
            if self._closed:
                raise trio.ClosedResourceError("this subscription is closed")
            await self._news.park()
        if self._dropped:
            self._reader.dropped(self._dropped)
            self._dropped = 0
        messages = list(self._messages)
        self._messages.clear()
        return messages
