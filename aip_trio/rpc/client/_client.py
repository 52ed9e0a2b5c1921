"""The other side of a device's service."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Literal

import attrs
import trio

from aip_trio.actors import ActorSystem, ChildSpec, current_environment, current_system
from aip_trio.errors import (
    ClientNotRunning,
    CommandLost,
    CommandTimeout,
    InvalidSpec,
    ServiceUnreachable,
)
from aip_trio.rpc._command import ApiCommand, ApiCommandRequest
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc._tree import TreeOwner
from aip_trio.rpc._wire import Reply, encode_request
from aip_trio.rpc.client._address import Address
from aip_trio.rpc.client._caller import Caller
from aip_trio.rpc.client._calls import Calls
from aip_trio.rpc.client._monitoring import keep_up, until_up
from aip_trio.rpc.client._presence import Presence, PresenceState
from aip_trio.rpc.client._presence_keeper import PresenceBoard, PresenceChanges, PresenceKeeper
from aip_trio.rpc.client._reader import Reader
from aip_trio.rpc.client._subscription import Latest, Source, Subscription
from aip_trio.rpc.client._watcher import Watcher
from aip_trio.transport.zeromq import CurveClient

__all__ = ["RpcClient", "RpcClientStatistics"]

#: Seconds in which a service has to answer when it is asked for events that were missed.
_PATIENCE = 5.0


@attrs.frozen
class RpcClientStatistics:
    """Counters since the client was started; ``open`` are the commands that wait now."""

    open: int
    sent: int
    answered: int
    #: sent, and not answered in time
    timed_out: int
    #: sent, and the connection broke
    lost: int
    #: replies to commands that had been given up
    late: int
    #: replies to nothing that was asked
    stray: int
    #: replies that are none
    malformed: int
    #: times that a connection for commands was made
    connections: int


class RpcClient(TreeOwner):
    """Sends commands to a device's service, ours or auto-trainer-api's, and hears what it publishes.

    ``async with RpcClient() as client:``, inside a system or outside of one. The service need not be there
    yet, and may go and come back. Three supervised actors: one for commands, one that listens, one that keeps
    time over the heartbeats.

    - ``timeout``: seconds that a command has, unless it says otherwise; None: any time
    - ``curve``: the keys, where the service uses CURVE

    Raises InvalidSpec. Its start fails with InvalidUrl where the host is no address.

    Source: seed 004; docs/explanation/rpc.md.
    """

    _name = "rpc-client"

    def __init__(
        self,
        host: str = "127.0.0.1",
        subscriber_port: int = 5556,
        command_port: int = 5557,
        *,
        timeout: float | None = 10.0,
        curve: CurveClient | None = None,
    ) -> None:
        super().__init__()
        for name, port in (("subscriber_port", subscriber_port), ("command_port", command_port)):
            if type(port) is not int or not 1 <= port <= 65535:
                raise InvalidSpec(name, port, "give the port of the service, from 1 to 65535")
        if "/" in host:
            raise InvalidSpec(
                "host", host, "give the address alone, such as 127.0.0.1, without tcp:// or a port"
            )
        self._address = Address(host, subscriber_port, command_port, curve)
        self._timeout = _seconds(timeout)
        self._system: ActorSystem | None = None
        self._calls: Calls | None = None
        self._board: PresenceBoard | None = None

    # Life

    def _begin(self) -> None:
        self._system = current_system()
        chance = current_environment().random
        self._calls = Calls(self._address.commands_url, self._address.events_url, chance)
        self._board = PresenceBoard()

    def _specs(self) -> Iterable[ChildSpec]:
        yield ChildSpec("presence", lambda: PresenceKeeper(self._running("start()")[1]))
        yield ChildSpec("commands", lambda: Caller(self._address, self._running("start()")[0]))
        yield ChildSpec("events", lambda: Watcher(self._address, self._running("start()")[0], self._replay))

    def _ended(self) -> None:
        if self._calls is not None:
            self._calls.close()

    def _running(self, call: str) -> tuple[Calls, PresenceBoard]:
        if self._calls is None or self._board is None:
            raise ClientNotRunning(call)
        return self._calls, self._board

    @property
    def urls(self) -> tuple[str, str]:
        """Where the service is: its events, its commands."""
        return self._address.events_url, self._address.commands_url

    def statistics(self) -> RpcClientStatistics:
        """Counters since the start. Raises ClientNotRunning."""
        calls, _ = self._running("statistics()")
        return RpcClientStatistics(calls.open, **attrs.asdict(calls.tally))

    async def ready(self) -> None:
        """Wait until there are connections to both sockets of the service. A checkpoint.

        It has no deadline of its own. That the service is alive, a heartbeat shows: see `wait_present`.
        Raises ClientNotRunning.
        """
        calls, _ = self._running("ready()")
        await calls.wait_connected()

    # Commands

    async def command(
        self,
        command: ApiCommand | int,
        data: object = None,
        *,
        custom_command: int = -1,
        timeout: float | None = None,  # noqa: ASYNC109 - the client has one, and errors name it
        wait: bool = False,
    ) -> Reply:
        """Have the service do something, and return its answer, whatever that says. A checkpoint.

        Any number of tasks may do so at once. Where the service is not there, it waits for it until the
        deadline; it is never sent twice, and never after the deadline.

        - ``data``: a mapping, or whatever else `encode_message` writes as a value
        - ``timeout``: seconds, the client's unless given; ``math.inf``: any time
        - ``wait``: where the answer is PENDING_WITH_NOTIFICATION, wait for the command's end, and return that

        A reply of zeros is what a service says to a request that it cannot read: it is taken for the answer
        where nothing else is unanswered.

        Raises EncodeError; ServiceUnreachable: it was not sent; CommandTimeout and CommandLost: it was sent,
        and may or may not have run; ClientNotRunning; InvalidSpec: the command is no number.
        """
        calls, _ = self._running("command()")
        if not isinstance(command, int):
            raise InvalidSpec("command", command, "give an ApiCommand, or a number")

        def payload(nonce: int) -> bytes:
            return encode_request(ApiCommandRequest(ApiCommand(command), custom_command, nonce, data))

        seconds = self._timeout if timeout is None else _seconds(timeout)
        return await calls.command(int(command), payload, seconds, to_its_end=wait)

    async def _replay(self, request: dict[str, object]) -> Reply | None:
        """Ask for events that were missed. None: no answer in time."""
        with trio.move_on_after(_PATIENCE):
            while True:
                try:
                    return await self.command(ApiCommand.REPLAY, request, timeout=_PATIENCE)
                except CommandLost:
                    pass  # it changes nothing: it can be asked again
                except (CommandTimeout, ServiceUnreachable, ClientNotRunning):
                    break
        return None  # noqa: ASYNC910 - not called from outside

    # Events

    @asynccontextmanager
    async def subscribe(
        self,
        *topics: ApiTopic | int,
        queue: int = 10_000,
        slow: Literal["wait", "drop_oldest"] = "wait",
        replay: bool = True,
        wait_connected: bool = True,
    ) -> AsyncGenerator[Subscription]:
        """What the service publishes on these topics, or on all.

        Used as ``async with client.subscribe(…) as events: async for event in events:``.

        Entering waits until there is a connection, with no deadline of its own, unless ``wait_connected`` is
        False. What was published before the service has heard of the subscription, a moment later, is not
        delivered: see `Subscription.confirmed`.

        - ``queue``: messages that wait for a reader that is slow
        - ``slow``: what happens then to further ones. "wait": they wait in the service, and beyond its
          high-water mark it leaves them out. "drop_oldest": the oldest make room, and one Dropped stands for
          them
        - ``replay``: ask a service that keeps its events for those that have not come, and deliver them in
          their places; what it keeps no more is a Gap. "drop_oldest" never asks
        """
        self._running("subscribe()")
        if queue < 1:
            raise InvalidSpec("queue", queue, "give a number of messages, 1 or more")
        if slow not in ("wait", "drop_oldest"):
            raise InvalidSpec("slow", slow, 'choose "wait" or "drop_oldest"')
        for topic in topics:
            if not isinstance(topic, int):
                raise InvalidSpec("topic", topic, "give an ApiTopic, or a number")
        wanted = None if not topics or ApiTopic.ANY in topics else frozenset(map(int, topics))
        reader = Reader(wanted, replays=replay and slow == "wait")
        assert self._system is not None  # it runs
        url = self._address.events_url
        async with self._address.events(wanted, queue) as socket, socket.monitor() as monitor:
            await socket.connect(url)
            if wait_connected:
                await until_up(socket, url, monitor)
            self._system.nursery.start_soon(keep_up, socket, url, monitor)
            source: Source = socket
            if slow == "drop_oldest":
                source = Latest(socket, reader, queue)
                self._system.nursery.start_soon(source.run)
            yield Subscription(source, reader, self._replay)

    # Presence

    @property
    def presence(self) -> Presence:
        """What is known of the service. Raises ClientNotRunning."""
        return self._running("presence")[1].presence

    def presence_changes(self) -> PresenceChanges:
        """What is known of it now, and each change: ``async with client.presence_changes() as changes:``.

        Raises ClientNotRunning.
        """
        return PresenceChanges(self._running("presence_changes()")[1])

    async def wait_present(self) -> Presence:
        """Wait until the service is there: until heartbeats come. A checkpoint. Raises ClientNotRunning."""
        async with self.presence_changes() as changes:
            async for presence in changes:
                if presence.state is PresenceState.PRESENT:
                    return presence
        raise AssertionError("changes have no end")


def _seconds(timeout: float | None) -> float:
    if timeout is None:
        return math.inf
    if not isinstance(timeout, int | float) or not timeout >= 0:
        raise InvalidSpec("timeout", timeout, "give seconds, 0 or more, or math.inf")
    return timeout
