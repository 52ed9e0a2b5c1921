"""A server's message that middleware keeps back: nobody waits for it, or for its answer, for ever."""

from __future__ import annotations

from aip_trio.endpoints._substitute import in_place_of
from aip_trio.errors import DecodeError
from aip_trio.messages import (
    CommandResults,
    ErrorFromClient,
    ErrorFromServer,
    FromClient,
    FromServer,
    Result,
    ResultStatus,
    ServerMessage,
    ServerMessageType,
    narrow_server,
)

__all__ = ["answer_to", "word_of"]


def answer_to(message: ServerMessage, reason: str) -> FromClient:
    """What to tell the server: that its commands have failed, or that something went wrong."""
    if message.type is not ServerMessageType.COMMAND or message.session_id is None:
        return ErrorFromClient(reason)
    failures = [
        Result(status=ResultStatus.FAILURE, error=reason, call_id=command.call_id)
        for command in message.actions or ()
    ]
    return CommandResults(failures, message.session_id, message.response_id)


def word_of(message: ServerMessage, reason: str) -> FromServer | None:
    """What to tell whoever waits for this message here, if somebody may."""
    try:
        word = narrow_server(in_place_of(message, reason))
    except DecodeError:
        return None
    return None if isinstance(word, ErrorFromServer) else word
