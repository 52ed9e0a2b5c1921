"""The link: typed messages over a transport, as an actor."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import ClassVar

from aip_trio.errors import ActorStopped, ConnectionLost, TransportClosed, TransportError
from aip_trio.messages import WireModel
from aip_trio.protocol._protocol import AIPProtocol
from aip_trio.transport import Bridge, Transport

__all__ = ["Link"]

logger = logging.getLogger("aip_trio.protocol")


#: RFC 6455, 7.4.1: done, and going away.
_GOODBYES = (1000, 1001)


class Link(Bridge):
    """Owns a protocol's transport: a WebSocket with one JSON message for each frame, as `aip.v1` has it, or a
    `LinkTransport`, which outlives WebSockets.

    Subclasses turn what comes into typed messages in `incoming`; what goes out comes packed, as `Transmit`,
    so that a message that cannot be encoded fails its sender, and not the link.

    A lost connection is nobody's fault here: the link ends, in order, and whoever supervises it decides.
    """

    #: A peer that does not answer our goodbye must not hold up a stop for its whole close_timeout.
    default_shutdown: ClassVar[float] = 5.0

    def __init__(self, protocol: AIPProtocol) -> None:
        super().__init__(protocol.transport)
        self.protocol = protocol

    def adopt(self, transport: Transport) -> None:
        """The connection that it owns has become another one, such as a link over it."""
        self.transport = transport
        self.protocol.adopt(transport)

    def receive(self) -> Awaitable[bytes]:
        """The next message's bytes: a frame, or an element of one that is an array."""
        return self.protocol.receive_frame()

    async def say(self, message: WireModel) -> None:
        """Send a message of the link's own, if need be past the middleware."""
        data = await self.protocol.pack_or_say(message, lambda _: message)
        await self.transport.send(data)

    def lost(self, error: TransportError) -> None:
        """End."""
        orderly = isinstance(error, TransportClosed) or (
            isinstance(error, ConnectionLost) and error.code in _GOODBYES
        )
        if not orderly:
            self.protocol.report(error)
        logger.log(logging.DEBUG if orderly else logging.INFO, "%s: %s", self.path, error)
        self.stop()

    def forsaken(self, error: ActorStopped) -> None:
        """End, as the session does: what comes meanwhile is nobody's."""
        self.stop()
