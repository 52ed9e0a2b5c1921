"""The actor that keeps the directory: watches the clients in it, and tells of their coming and going."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import attrs

from aip_trio.actors import Actor, Reply, Terminated, handles
from aip_trio.endpoints._hooks import Hooks
from aip_trio.endpoints.server._directory import Client
from aip_trio.endpoints.server._hub import Hub
from aip_trio.endpoints.server._messages import Joined

__all__ = ["Keeper", "Watcher"]


@attrs.frozen
class Watcher:
    """Who is told of clients: the endpoint, at once; and the program, which may take its time."""

    joined: Callable[[], None]
    left: Callable[[], None]
    tell_joined: Callable[[Client], Awaitable[None]]
    tell_lost: Callable[[Client], Awaitable[None]]
    tell_left: Callable[[Client], Awaitable[None]]


class Keeper(Actor):
    """Named ``directory`` in the tree. The table survives its crash; it then watches everybody anew.

    The program is told of one client's coming and going in order. A client that comes back is in when the
    program has been told that it had gone.
    """

    def __init__(self, hub: Hub, watcher: Watcher) -> None:
        self._hub = hub
        self._watcher = watcher

    async def started(self) -> None:  # noqa: ASYNC910 - internal
        """Watch who is there."""
        self._hub.keeper = self.ref
        self._hooks = Hooks(self.nursery, self.path)
        for client in self._hub.directory.clients.values():
            self.monitor(client.session)

    @handles
    async def joined(self, message: Joined, reply: Reply[None]) -> None:
        """A client has registered; answered when it is in."""
        self._hooks.call(message.client.id, partial(self._join, message.client, reply))

    async def _join(self, client: Client, reply: Reply[None]) -> None:
        if reply.withdrawn:  # it has gone meanwhile
            return  # noqa: ASYNC910 - internal
        self._hub.directory.confirm(client)
        self.monitor(client.session)
        self._watcher.joined()
        await self._watcher.tell_joined(client)
        reply.send(None)

    @handles
    async def gone(self, message: Terminated) -> None:
        """Its connection has ended."""
        client = self._hub.directory.forget_session(message.ref)
        if client is not None:
            self._watcher.left()
            self._hooks.call(client.id, partial(self._watcher.tell_lost, client))
            self._hooks.call(client.id, partial(self._watcher.tell_left, client))
