"""Owns the DEALER socket of a client."""

from __future__ import annotations

from contextlib import suppress

import trio

from aip_trio.actors import Actor
from aip_trio.rpc.client._address import Address
from aip_trio.rpc.client._calls import Calls, Connection
from aip_trio.rpc.client._monitoring import until_down, until_up
from aip_trio.transport.zeromq import ZeroMQSocket

__all__ = ["Caller"]

#: Seconds between the end of a connection and the next attempt.
_PAUSE = 0.05


class Caller(Actor):
    """Keeps a connection for commands, each over a socket of its own.

    libzmq would make the next connection by itself; with a new socket there is no doubt over which one a
    command went.
    """

    def __init__(self, address: Address, calls: Calls) -> None:
        self._address = address
        self._calls = calls

    async def started(self) -> None:
        """Begin to connect. Raises InvalidUrl."""
        await self.nursery.start(self._run)

    async def _run(self, task_status: trio.TaskStatus[None]) -> None:
        begun = False
        while True:
            async with self._address.commands() as socket, socket.monitor() as events:
                await socket.connect(self._address.commands_url)
                if not begun:
                    begun = True
                    task_status.started()
                await until_up(socket, self._address.commands_url, events, self._calls.refused)
                connection = self._calls.connected(socket)
                try:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._receive, socket, connection)
                        await until_down(events)
                        nursery.cancel_scope.cancel()
                    self._receive_the_rest(socket, connection)
                finally:
                    self._calls.lost(connection)
            await trio.sleep(_PAUSE)

    async def _receive(self, socket: ZeroMQSocket, connection: Connection) -> None:
        while True:
            for frames in await socket.receive_many():
                self._calls.received(connection, frames)

    def _receive_the_rest(self, socket: ZeroMQSocket, connection: Connection) -> None:
        """Replies that came before the connection broke."""
        with suppress(trio.WouldBlock):
            while True:
                self._calls.received(connection, socket.receive_nowait())
