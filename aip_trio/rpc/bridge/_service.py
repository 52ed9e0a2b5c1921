"""A bridge's end at the RPC service."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Protocol

import trio

from aip_trio.actors import Actor, StopReason, current_environment
from aip_trio.errors import AipError, ClientNotRunning
from aip_trio.rpc._command import ApiCommand, ApiCommandRequestResult
from aip_trio.rpc.bridge._caller import Caller, Commands
from aip_trio.rpc.bridge._shared import Shared
from aip_trio.rpc.client import Dropped, Event, Gap, Heartbeat, Presence, PresenceState, Published

__all__ = ["MakeClient", "Service", "ServiceClient"]

#: Seconds for a service's first status, which nobody waits for.
_STATUS = 10.0

#: Seconds in which a new client has to hear of a service that the one before it has heard of: five intervals,
#: as services usually have them.
_AGAIN = 25.0


class Events(Protocol):
    """What a service publishes."""

    async def receive_many(self) -> Sequence[object]:
        """All that is ready, at least one. A checkpoint."""
        ...


class ServiceClient(Commands, Protocol):
    """What a bridge needs of an `RpcClient`."""

    @property
    def presence(self) -> Presence:
        """What is known of the service now."""
        ...

    def presence_changes(self) -> AbstractAsyncContextManager[AsyncIterable[Presence]]:
        """What is known, and what comes to be."""
        ...

    def subscribe(self, *topics: int) -> AbstractAsyncContextManager[Events]:
        """What the service publishes; without topics, everything."""
        ...

    async def start(self) -> None:
        """Start it, in this task's system."""
        ...

    async def stop(self) -> None:
        """Stop it."""
        ...

    async def stopped(self) -> None:
        """Wait until it has ended, for whatever reason."""
        ...


MakeClient = Callable[[], ServiceClient]


class Service(Actor):
    """Keeps a client of the service, and follows what that hears; the tools call through it.

    A client that has ended is this actor's crash, and its next incarnation makes another one. Meanwhile the
    device stays in the fleet, and its tools fail.
    """

    def __init__(self, shared: Shared, caller: Caller, make_client: MakeClient) -> None:
        self._shared = shared
        self._caller = caller
        self._client = make_client()
        self._asking = False

    async def started(self) -> None:
        """Begin to listen."""
        await self._client.start()
        self._caller.client = self._client
        self.nursery.start_soon(self._last)
        self.nursery.start_soon(self._follow)
        self.nursery.start_soon(self._listen)

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Nothing can be sent any more."""
        self._caller.client = None
        await self._client.stop()

    async def _last(self) -> None:
        await self._client.stopped()
        if self._caller.client is self._client:
            raise ClientNotRunning("stopped()")

    async def _follow(self) -> None:
        """Have the others know whether the service is there."""
        async with self._client.presence_changes() as changes:
            async for presence in changes:
                if presence.heartbeat is not None:
                    self._heard(presence.heartbeat)
                self._shared.stands(presence.state)
                if presence.state is PresenceState.PRESENT and not self._asking:
                    self._asking = True
                    self.nursery.start_soon(self._ask_status)
                elif presence.state is PresenceState.UNKNOWN and self._shared.member is not None:
                    self.nursery.start_soon(self._give_up)

    async def _give_up(self) -> None:
        """Of a service that was there: nothing is heard again."""
        await trio.sleep(_AGAIN)
        if self._client.presence.state is PresenceState.UNKNOWN:
            self._shared.stands(PresenceState.GONE)

    async def _ask_status(self) -> None:  # noqa: ASYNC910 - internal
        """A fleet is told of a device's status before anybody asks for it."""
        with suppress(AipError):
            reply = await self._client.command(ApiCommand.GET_STATUS, timeout=_STATUS)
            if reply.result == ApiCommandRequestResult.SUCCESS:
                self._shared.answered(reply.data, current_environment().now())
        self._asking = False

    async def _listen(self) -> None:
        async with self._client.subscribe() as events:
            while True:
                came = await events.receive_many()
                now = current_environment().now()
                for event in came:
                    self._take(event, now)

    def _take(self, event: object, now: datetime) -> None:
        match event:
            case Event(topic=topic, data=data, kind=kind):
                self._shared.published(topic, data, kind, now)
            case Heartbeat():
                self._heard(event)
            case Published(topic=topic, data=data):
                self._shared.published(topic, _plain(data), None, now)
            case Gap():
                self._shared.missed(event.lost)
            case Dropped(messages=messages):
                self._shared.missed(messages)
            case _:  # another incarnation of the service: its heartbeats tell
                pass

    def _heard(self, heartbeat: Heartbeat) -> None:
        self._shared.heard(heartbeat.identifier, heartbeat.version, current_environment().now())


def _plain(data: object) -> object:
    """Bytes that are no JSON, as something that is."""
    return data.decode(errors="replace") if isinstance(data, bytes) else data
