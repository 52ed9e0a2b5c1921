"""Connections that may have gone."""

from __future__ import annotations

import trio

from aip_trio.transport.zeromq._connection import ZeroMQConnection

__all__ = ["Suspects"]

#: Seconds between two probes of one, and how many it has.
_PAUSE = 0.01
_PROBES = 50


class Suspects:
    """Probes each of them until it is found to be over, or alive after all.

    libzmq tells of the end of a TCP connection by a number that the next connection may have, and before the
    ROUTER has forgotten the one that ended: so a probe decides, and if need be some more.
    """

    def __init__(self) -> None:
        self._probes: dict[ZeroMQConnection, int] = {}
        self._news = trio.Event()

    def add(self, connection: ZeroMQConnection) -> None:
        """One more."""
        self._probes[connection] = _PROBES
        self._news.set()

    async def run(self) -> None:  # noqa: ASYNC910 - for ever
        """The task that probes."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            while self._probes:
                await trio.sleep(_PAUSE)  # for the last words, which who reads the socket takes meanwhile
                for connection, left in list(self._probes.items()):
                    connection.probe()
                    if connection.over or left == 1:
                        del self._probes[connection]
                    else:
                        self._probes[connection] = left - 1
