"""Listens, for a client itself, to heartbeats and to how pending commands end."""

from __future__ import annotations

import trio

from aip_trio.actors import Actor, ActorRef
from aip_trio.rpc._topic import ApiTopic
from aip_trio.rpc.client._address import Address
from aip_trio.rpc.client._calls import Calls
from aip_trio.rpc.client._monitoring import until_down, until_up
from aip_trio.rpc.client._presence_keeper import Beat
from aip_trio.rpc.client._published import CommandResult, Heartbeat
from aip_trio.rpc.client._reader import Reader
from aip_trio.rpc.client._subscription import Ask, Subscription
from aip_trio.transport.zeromq import Monitor, ZeroMQSocket

__all__ = ["Watcher"]

_TOPICS = (ApiTopic.COMMAND_RESULT, ApiTopic.HEARTBEAT)


class Watcher(Actor):
    """Owns the SUB socket of a client itself.

    Subscriptions have sockets of their own, so that no slow reader holds this one up.
    """

    def __init__(self, address: Address, calls: Calls, ask: Ask) -> None:
        self._address = address
        self._calls = calls
        self._ask = ask

    async def started(self) -> None:
        """Begin to listen. Raises InvalidUrl."""
        await self.nursery.start(self._run, self.sibling("presence"))

    async def _run(self, presence: ActorRef, task_status: trio.TaskStatus[None]) -> None:
        reader = Reader(_TOPICS)
        try:
            async with self._address.events(_TOPICS) as socket, socket.monitor() as monitor:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._follow, socket, monitor)
                    await socket.connect(self._address.events_url)
                    task_status.started()
                    async for event in Subscription(socket, reader, self._ask):
                        match event:
                            case Heartbeat():
                                await presence.tell(Beat(event))
                            case CommandResult(reply=reply):
                                self._calls.published(reply)
                            case _:
                                pass
        finally:
            self._calls.listening(False)

    async def _follow(self, socket: ZeroMQSocket, monitor: Monitor) -> None:
        while True:
            await until_up(socket, self._address.events_url, monitor, self._calls.silenced)
            self._calls.listening(True)
            await until_down(monitor)
            self._calls.listening(False)
