"""A client's message that middleware keeps back: nobody waits for its answer for ever."""

from __future__ import annotations

from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    DeviceInfo,
    ErrorFromServer,
    FromServer,
    TaskEnded,
    TaskStatus,
)

__all__ = ["answer_to"]


def answer_to(message: ClientMessage, reason: str, response_id: str) -> FromServer:
    """What to tell the client: that its task or its question has failed, or that something went wrong.

    ``response_id`` is the answer's, where the request has no id of its own.
    """
    match message.type:
        case ClientMessageType.TASK if message.session_id is not None:
            return TaskEnded(
                message.session_id,
                TaskStatus.FAILED,
                error=reason,
                response_id=message.request_id or response_id,
                task_name=message.task_name,
            )
        case ClientMessageType.DEVICE_INFO_REQUEST if message.request_id is not None:
            return DeviceInfo(message.request_id, status=TaskStatus.ERROR, error=reason)
        case _:
            return ErrorFromServer(reason, response_id=response_id, session_id=message.session_id)
