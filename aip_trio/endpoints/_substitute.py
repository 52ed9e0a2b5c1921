"""What stands in for a server's message that middleware does not let through."""

from __future__ import annotations

import attrs

from aip_trio.messages import ServerMessage, ServerMessageType, TaskStatus

__all__ = ["in_place_of"]


def in_place_of(message: ServerMessage, reason: str) -> ServerMessage:
    """The same word without what it says, and why, to whoever waits for it; else an `error`."""
    match message.type:
        case ServerMessageType.TASK_END:
            return attrs.evolve(message, status=TaskStatus.FAILED, result=None, error=reason, messages=None)
        case ServerMessageType.DEVICE_INFO_RESPONSE:
            return attrs.evolve(message, status=TaskStatus.ERROR, result=None, error=reason)
        case _:
            return ServerMessage(
                type=ServerMessageType.ERROR,
                status=TaskStatus.ERROR,
                error=reason,
                session_id=message.session_id,
                timestamp=message.timestamp,
                response_id=message.response_id,
            )
