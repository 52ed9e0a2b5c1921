"""AIP's messages as a peer declares them with pydantic. Imported only where pydantic is installed."""

from __future__ import annotations

from typing import Any

import pydantic

from aip_trio.messages import (
    ClientMessageType,
    ClientType,
    ResultStatus,
    ServerMessageType,
    TaskStatus,
    ToolType,
)

__all__ = ["ClientMessage", "Command", "Result", "ServerMessage"]

# Of no known type, whether pydantic is installed where types are checked, or not.
BaseModel: Any = pydantic.BaseModel


class Result(BaseModel):  # type: ignore[misc]
    """What came of a command."""

    status: ResultStatus
    error: str | None = None
    result: Any = None
    namespace: str | None = None
    call_id: str | None = None


class ClientMessage(BaseModel):  # type: ignore[misc]
    """Anything that a client sends."""

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


class Command(BaseModel):  # type: ignore[misc]
    """Something to do."""

    tool_name: str
    parameters: dict[str, Any] | None = None
    tool_type: ToolType
    call_id: str | None = None


class ServerMessage(BaseModel):  # type: ignore[misc]
    """Anything that a server sends."""

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
