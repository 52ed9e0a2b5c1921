"""A client's way out to its server."""

from __future__ import annotations

import attrs

from aip_trio.endpoints._writing import write
from aip_trio.endpoints.connection._substitute import in_place_of, refusal_of
from aip_trio.errors import EncodeError
from aip_trio.messages import ClientMessage, ClientType, FromClient, widen_client
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

    def widened(self, message: FromClient) -> ClientMessage:
        """A message as it goes over the wire: from this client, now."""
        return widen_client(
            message, timestamp=timestamp(), client_id=self.client_id, client_type=self.client_type
        )

    async def send(self, message: FromClient) -> None:
        """Send a message; waits while the server does not read, and is a checkpoint only there.

        Where the connection has gone the message goes nowhere, as what was on its way then does. Raises
        EncodeError; MiddlewareFailed, SendingTooFast of the program's middleware.
        """
        await self._write(await self.protocol.pack(self.widened(message)))

    async def _write(self, data: bytes) -> None:  # noqa: ASYNC910 - internal
        await write(self.protocol.transport, data)

    async def send_or_say(self, message: FromClient) -> None:
        """Send a message; of one that cannot be sent, say so: its results become failed ones.

        That is one that cannot be encoded, or that middleware does not let through.
        """
        try:
            await self._write(await self._packed(message))
        except EncodeError as error:
            await self._write(await self._packed(in_place_of(message, error)))

    async def _packed(self, message: FromClient) -> bytes:
        return await self.protocol.pack_or_say(
            self.widened(message), lambda reason: self.widened(refusal_of(message, reason))
        )

    @property
    def resumes(self) -> bool:
        """Whether what was sent and not received comes a second time, on a later connection."""
        return self.protocol.transport.resumes

    @property
    def last_heard(self) -> float:
        """When the server last gave a sign of life, in Trio's clock."""
        return self.protocol.transport.last_heard
