"""A client's way out to its server."""

from __future__ import annotations

from contextlib import suppress

import attrs

from aip_trio.endpoints.connection._substitute import in_place_of
from aip_trio.errors import EncodeError, TransportError
from aip_trio.messages import ClientType, FromClient, widen_client
from aip_trio.protocol import AIPProtocol, timestamp

__all__ = ["ClientLine"]


@attrs.frozen(eq=False)
class ClientLine:
    """Encodes and writes a message in its sender's task: what cannot be encoded fails its sender alone.

    The transport keeps the order of the calls, and a cancelled one never leaves half a frame.
    """

    protocol: AIPProtocol
    client_id: str
    client_type: ClientType
    target_id: str | None = None

    async def pack(self, message: FromClient) -> bytes:
        """The frame of a message. A checkpoint where a middleware is. Raises EncodeError."""
        wide = widen_client(
            message, timestamp=timestamp(), client_id=self.client_id, client_type=self.client_type
        )
        return await self.protocol.pack(wide)

    async def send(self, message: FromClient) -> None:
        """Send a message. A checkpoint; waits while the server does not read. Raises EncodeError.

        Where the connection has gone the message goes nowhere, as what was on its way then does.
        """
        data = await self.pack(message)
        with suppress(TransportError):
            await self.protocol.transport.send(data)

    async def send_or_say(self, message: FromClient) -> None:
        """Send a message; of one that cannot be encoded, say so: its results become failed ones."""
        try:
            await self.send(message)
        except EncodeError as error:
            await self.send(in_place_of(message, error))

    @property
    def last_heard(self) -> float:
        """When the server last gave a sign of life, in Trio's clock."""
        return self.protocol.transport.last_heard
