"""What a server says: one class for each meaning, and the wide class of the wire that carries it."""

from collections.abc import Callable, Iterable
from typing import Any, Self, TypeAlias

import attrs

from aip_trio.messages._commands import Command
from aip_trio.messages._enums import ServerMessageType, TaskStatus
from aip_trio.messages._missing import NO_REASON, missing
from aip_trio.messages._wide import ServerMessage

__all__ = [
    "DeviceInfo",
    "ErrorFromServer",
    "FromServer",
    "HeartbeatAck",
    "OfferTask",
    "QueryDeviceInfo",
    "RunCommands",
    "TaskEnded",
    "narrow_server",
    "widen_server",
]


@attrs.frozen
class HeartbeatAck:
    """The server lives; as the answer to a registration: accepted."""

    response_id: str | None = None

    @classmethod
    def _narrow(cls, wide: ServerMessage) -> Self:
        return cls(wide.response_id)

    def _widen(self, timestamp: str | None) -> ServerMessage:
        return ServerMessage(
            type=ServerMessageType.HEARTBEAT,
            status=TaskStatus.OK,
            timestamp=timestamp,
            response_id=self.response_id,
        )


@attrs.frozen
class OfferTask:
    """A task for the device, which then asks for it with a task message of its own."""

    user_request: str
    task_name: str | None = None
    session_id: str | None = None
    response_id: str | None = None
    agent_name: str | None = None
    process_name: str | None = None

    @classmethod
    def _narrow(cls, wide: ServerMessage) -> Self:
        if wide.user_request is None:
            raise missing(wide, "user_request")
        return cls(
            user_request=wide.user_request,
            task_name=wide.task_name,
            session_id=wide.session_id,
            response_id=wide.response_id,
            agent_name=wide.agent_name,
            process_name=wide.process_name,
        )

    def _widen(self, timestamp: str | None) -> ServerMessage:
        return ServerMessage(
            type=ServerMessageType.TASK,
            status=TaskStatus.CONTINUE,
            user_request=self.user_request,
            agent_name=self.agent_name,
            process_name=self.process_name,
            session_id=self.session_id,
            task_name=self.task_name,
            timestamp=timestamp,
            response_id=self.response_id,
        )


def _commands(commands: Iterable[Command]) -> tuple[Command, ...]:
    return tuple(commands)


@attrs.frozen
class RunCommands:
    """One turn of a task session: commands to run one after another.

    The answer is one `CommandResults` that names ``response_id``.
    """

    actions: tuple[Command, ...] = attrs.field(converter=_commands)
    session_id: str
    response_id: str | None
    status: TaskStatus = TaskStatus.CONTINUE
    task_name: str | None = None
    agent_name: str | None = None
    process_name: str | None = None
    root_name: str | None = None

    @classmethod
    def _narrow(cls, wide: ServerMessage) -> Self:
        if wide.actions is None or wide.session_id is None:
            raise missing(wide, "actions", "session_id")
        return cls(
            wide.actions,
            wide.session_id,
            wide.response_id,
            wide.status,
            wide.task_name,
            wide.agent_name,
            wide.process_name,
            wide.root_name,
        )

    def _widen(self, timestamp: str | None) -> ServerMessage:
        return ServerMessage(
            type=ServerMessageType.COMMAND,
            status=self.status,
            agent_name=self.agent_name,
            process_name=self.process_name,
            root_name=self.root_name,
            actions=list(self.actions),
            session_id=self.session_id,
            task_name=self.task_name,
            timestamp=timestamp,
            response_id=self.response_id,
        )


@attrs.frozen
class TaskEnded:
    """A task session is over: completed with ``result``, or failed with ``error``."""

    session_id: str
    status: TaskStatus
    result: Any = None
    error: str | None = None
    response_id: str | None = None
    task_name: str | None = None

    @classmethod
    def _narrow(cls, wide: ServerMessage) -> Self:
        if wide.session_id is None:
            raise missing(wide, "session_id")
        return cls(wide.session_id, wide.status, wide.result, wide.error, wide.response_id, wide.task_name)

    def _widen(self, timestamp: str | None) -> ServerMessage:
        return ServerMessage(
            type=ServerMessageType.TASK_END,
            status=self.status,
            error=self.error,
            session_id=self.session_id,
            task_name=self.task_name,
            timestamp=timestamp,
            response_id=self.response_id,
            result=self.result,
        )


@attrs.frozen
class QueryDeviceInfo:
    """The server asks a device about itself; the answer's ``request_id`` is this ``response_id``."""

    response_id: str | None

    @classmethod
    def _narrow(cls, wide: ServerMessage) -> Self:
        return cls(wide.response_id)

    def _widen(self, timestamp: str | None) -> ServerMessage:
        return ServerMessage(
            type=ServerMessageType.DEVICE_INFO_REQUEST,
            status=TaskStatus.OK,
            timestamp=timestamp,
            response_id=self.response_id,
        )


@attrs.frozen
class DeviceInfo:
    """What a constellation asked about a device; ``response_id`` is its question's ``request_id``."""

    response_id: str | None
    result: Any = None
    status: TaskStatus = TaskStatus.OK
    error: str | None = None

    @classmethod
    def _narrow(cls, wide: ServerMessage) -> Self:
        return cls(wide.response_id, wide.result, wide.status, wide.error)

    def _widen(self, timestamp: str | None) -> ServerMessage:
        return ServerMessage(
            type=ServerMessageType.DEVICE_INFO_RESPONSE,
            status=self.status,
            error=self.error,
            timestamp=timestamp,
            response_id=self.response_id,
            result=self.result,
        )


@attrs.frozen
class ErrorFromServer:
    """The server refused something, or something went wrong there."""

    error: str
    response_id: str | None = None
    session_id: str | None = None

    @classmethod
    def _narrow(cls, wide: ServerMessage) -> Self:
        return cls(NO_REASON if wide.error is None else wide.error, wide.response_id, wide.session_id)

    def _widen(self, timestamp: str | None) -> ServerMessage:
        return ServerMessage(
            type=ServerMessageType.ERROR,
            status=TaskStatus.ERROR,
            error=self.error,
            session_id=self.session_id,
            timestamp=timestamp,
            response_id=self.response_id,
        )


FromServer: TypeAlias = (
    HeartbeatAck | OfferTask | RunCommands | TaskEnded | QueryDeviceInfo | DeviceInfo | ErrorFromServer
)

_NARROWERS: dict[ServerMessageType, Callable[[ServerMessage], FromServer]] = {
    ServerMessageType.HEARTBEAT: HeartbeatAck._narrow,
    ServerMessageType.TASK: OfferTask._narrow,
    ServerMessageType.COMMAND: RunCommands._narrow,
    ServerMessageType.TASK_END: TaskEnded._narrow,
    ServerMessageType.DEVICE_INFO_REQUEST: QueryDeviceInfo._narrow,
    ServerMessageType.DEVICE_INFO_RESPONSE: DeviceInfo._narrow,
    ServerMessageType.ERROR: ErrorFromServer._narrow,
}


def narrow_server(wide: ServerMessage) -> FromServer:
    """What a server's message means. Raises `DecodeError` naming each field that it needs and lacks."""
    return _NARROWERS[wide.type](wide)


def widen_server(narrow: FromServer, *, timestamp: str | None = None) -> ServerMessage:
    """The message of the wire that says so. ``narrow_server(widen_server(x)) == x``.

    ``timestamp`` is ISO 8601.
    """
    return narrow._widen(timestamp)
