"""The link: typed messages over a transport, as an actor."""

from __future__ import annotations

import logging

from aip_trio.errors import TransportClosed, TransportError
from aip_trio.protocol._protocol import AIPProtocol
from aip_trio.transport import Bridge

__all__ = ["Link"]

logger = logging.getLogger("aip_trio.protocol")


class Link(Bridge):
    """Owns a protocol's transport: one JSON message for each frame, as `aip.v1` has it.

    Subclasses turn what comes into typed messages in `incoming`; what goes out comes packed, as `Transmit`,
    so that a message that cannot be encoded fails its sender, and not the link.

    A lost connection is nobody's fault here: the link ends, in order, and whoever supervises it decides.
    """

    def __init__(self, protocol: AIPProtocol) -> None:
        super().__init__(protocol.transport)
        self.protocol = protocol

    def lost(self, error: TransportError) -> None:
        """End."""
        if not isinstance(error, TransportClosed):
            logger.info("%s: %s", self.path, error)
        self.stop()
