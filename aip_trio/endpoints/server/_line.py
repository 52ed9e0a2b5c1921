"""A server's way out to one client."""

from __future__ import annotations

from functools import partial

import attrs

from aip_trio.actors import current_environment
from aip_trio.endpoints._substitute import in_place_of
from aip_trio.endpoints._writing import write
from aip_trio.messages import ErrorFromServer, FromServer, HeartbeatAck, widen_server
from aip_trio.protocol import AIPProtocol, timestamp

__all__ = ["ServerLine"]


@attrs.frozen(eq=False)
class ServerLine:
    """Encodes and writes a message in its sender's task: what cannot be encoded fails its sender alone, and a
    client that does not read holds up those who write to it, and nobody else.

    The transport keeps the order of the calls, and a cancelled one never leaves half a frame.
    """

    protocol: AIPProtocol

    async def send(self, message: FromServer, messages: list[str] | None = None) -> None:
        """Send a message, with lines for people. A checkpoint; waits while the client does not read.

        A client that has gone gets nothing: whoever has to know monitors its session. Of a message that the
        program's middleware does not let through it is told so. Raises EncodeError.
        """
        wide = widen_server(message, timestamp=timestamp())
        if messages:
            wide = attrs.evolve(wide, messages=messages)
        await self.write(await self.protocol.pack_or_say(wide, partial(in_place_of, wide)))

    async def pack(self, message: FromServer) -> bytes:
        """The frame of a message. A checkpoint where a middleware is.

        Raises EncodeError; MiddlewareFailed, SendingTooFast of the program's middleware.
        """
        return await self.protocol.pack(widen_server(message, timestamp=timestamp()))

    async def write(self, frame: bytes) -> None:  # noqa: ASYNC910 - internal
        """As `send`, of a frame that was packed. A checkpoint only where it has to wait."""
        await write(self.protocol.transport, frame)

    async def acknowledge(self) -> None:
        """Answer a registration or a heartbeat."""
        await self.send(HeartbeatAck(current_environment().new_id()))

    async def refuse(self, reason: str, *, session_id: str | None = None) -> None:
        """Say that a message went no further, and why."""
        await self.send(
            ErrorFromServer(reason, response_id=current_environment().new_id(), session_id=session_id)
        )
