"""Publishes what waits for it."""

from __future__ import annotations

import msgspec

from aip_trio.actors import Actor, StopReason
from aip_trio.rpc.service._desk import Desk
from aip_trio.rpc.service._listening import KEEPALIVE, listen
from aip_trio.rpc.service._outgoing import Message
from aip_trio.transport.zeromq import Kind, ZeroMQSocket

__all__ = ["Publisher"]

#: Messages that are published before the scheduler has its turn.
_BATCH = 256


class Publisher(Actor):
    """Owns the PUB socket. What waits to be published is the desk's, and outlives a crash."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._socket: ZeroMQSocket | None = None

    async def started(self) -> None:
        """Listen, where it did before if it did."""
        desk = self._desk
        options = desk.options
        self._socket = socket = ZeroMQSocket(
            Kind.PUB, send_limit=options.send_limit, curve=options.curve, options=KEEPALIVE
        )
        desk.events_url = await listen(socket, options.host, options.subscriber_port, desk.events_url)
        desk.outgoing.open()
        self.nursery.start_soon(self._publish, socket)

    async def _publish(self, socket: ZeroMQSocket) -> None:
        outgoing = self._desk.outgoing
        while True:
            await outgoing.wait()
            if socket.closed:
                return
            for _ in range(min(len(outgoing), _BATCH)):
                self._send(socket, outgoing.take())

    def _send(self, socket: ZeroMQSocket, message: Message) -> None:
        desk = self._desk
        payload = message.payload
        if message.numbered:
            payload = desk.history.stamp(message.topic, payload)
        if message.quoted:
            payload = msgspec.json.encode(payload.decode())
        socket.send_nowait((message.frame, payload))  # never blocks: it leaves out who does not keep up
        desk.tally.published[message.topic] += 1

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Publish what still waits, unless it is to be started again, and close."""
        socket, outgoing = self._socket, self._desk.outgoing
        if socket is None:
            return  # noqa: ASYNC910 - not called from outside
        try:
            if not isinstance(reason, BaseException):
                outgoing.close()
                for _ in range(len(outgoing)):
                    self._send(socket, outgoing.take())
        finally:
            await socket.close()  # noqa: ASYNC102 - bounded by its linger
