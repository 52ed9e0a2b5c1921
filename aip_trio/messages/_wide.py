"""The two classes that AIP's peers know: one for all that a client sends, one for all that a server sends.

Inside, actors pass the narrow classes of `_client` and `_server`, one for each meaning.
"""

from typing import Any

import attrs

from aip_trio.messages._commands import Command, Result
from aip_trio.messages._enums import ClientMessageType, ClientType, ServerMessageType, TaskStatus
from aip_trio.messages._model import WireModel

__all__ = ["ClientMessage", "ServerMessage"]


@attrs.frozen(kw_only=True)
class ClientMessage(WireModel):
    """Anything that a client sends. ``timestamp`` is ISO 8601."""

    type: ClientMessageType
    status: TaskStatus
    client_type: ClientType = ClientType.DEVICE
    session_id: str | None = None
    task_name: str | None = None
    client_id: str | None = None
    target_id: str | None = None
    request: str | None = None
    action_results: list[Result] | None = None
    timestamp: str | None = None
    request_id: str | None = None
    prev_response_id: str | None = None
    error: str | None = None
    metadata: dict[str, Any] | None = None


@attrs.frozen(kw_only=True)
class ServerMessage(WireModel):
    """Anything that a server sends. ``timestamp`` is ISO 8601; ``result`` is any JSON value."""

    type: ServerMessageType
    status: TaskStatus
    user_request: str | None = None
    agent_name: str | None = None
    process_name: str | None = None
    root_name: str | None = None
    actions: list[Command] | None = None
    messages: list[str] | None = None
    error: str | None = None
    session_id: str | None = None
    task_name: str | None = None
    timestamp: str | None = None
    response_id: str | None = None
    result: Any = None
