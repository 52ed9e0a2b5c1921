"""What a client says: one class for each meaning, and the wide class of the wire that carries it."""

from collections.abc import Callable, Iterable
from typing import Any, Self, TypeAlias

import attrs

from aip_trio.messages._commands import Result
from aip_trio.messages._enums import ClientMessageType, ClientType, TaskStatus
from aip_trio.messages._missing import NO_REASON, missing
from aip_trio.messages._wide import ClientMessage

__all__ = [
    "AskDeviceInfo",
    "AskForTask",
    "CommandResults",
    "EndTask",
    "ErrorFromClient",
    "FromClient",
    "Heartbeat",
    "Register",
    "ReportDeviceInfo",
    "narrow_client",
    "widen_client",
]


@attrs.frozen
class _Sender:
    """What a message says of its sender and its time, where its meaning leaves that open."""

    timestamp: str | None
    client_id: str | None
    client_type: ClientType

    def named(self, client_id: str | None) -> str | None:
        """The message's own ``client_id``, else the sender's."""
        return self.client_id if client_id is None else client_id


@attrs.frozen
class Register:
    """The first frame of a connection: who the client is.

    A constellation may name in ``target_id`` the one device that it will address.
    """

    client_id: str
    client_type: ClientType = ClientType.DEVICE
    target_id: str | None = None
    metadata: dict[str, Any] | None = None

    @classmethod
    def _narrow(cls, wide: ClientMessage) -> Self:
        if not wide.client_id:
            raise missing(wide, "client_id")
        return cls(wide.client_id, wide.client_type, wide.target_id, wide.metadata)

    def _widen(self, sender: _Sender) -> ClientMessage:
        return ClientMessage(
            type=ClientMessageType.REGISTER,
            status=TaskStatus.OK,
            client_type=self.client_type,
            client_id=self.client_id,
            target_id=self.target_id,
            timestamp=sender.timestamp,
            metadata=self.metadata,
        )


@attrs.frozen
class Heartbeat:
    """The client lives."""

    client_id: str | None = None
    metadata: dict[str, Any] | None = None

    @classmethod
    def _narrow(cls, wide: ClientMessage) -> Self:
        return cls(wide.client_id, wide.metadata)

    def _widen(self, sender: _Sender) -> ClientMessage:
        return ClientMessage(
            type=ClientMessageType.HEARTBEAT,
            status=TaskStatus.OK,
            client_type=sender.client_type,
            client_id=sender.named(self.client_id),
            timestamp=sender.timestamp,
            metadata=self.metadata,
        )


@attrs.frozen
class AskForTask:
    """The client wants a task done: by the device ``target_id``, or by itself.

    Without a ``session_id`` the server makes one.
    """

    request: str
    task_name: str | None
    session_id: str | None
    client_id: str | None
    client_type: ClientType
    target_id: str | None = None
    metadata: dict[str, Any] | None = None
    request_id: str | None = None

    @classmethod
    def _narrow(cls, wide: ClientMessage) -> Self:
        if wide.request is None:
            raise missing(wide, "request")
        return cls(
            request=wide.request,
            task_name=wide.task_name,
            session_id=wide.session_id,
            client_id=wide.client_id,
            client_type=wide.client_type,
            target_id=wide.target_id,
            metadata=wide.metadata,
            request_id=wide.request_id,
        )

    def _widen(self, sender: _Sender) -> ClientMessage:
        return ClientMessage(
            type=ClientMessageType.TASK,
            status=TaskStatus.CONTINUE,
            client_type=self.client_type,
            session_id=self.session_id,
            task_name=self.task_name,
            client_id=sender.named(self.client_id),
            target_id=self.target_id,
            request=self.request,
            timestamp=sender.timestamp,
            request_id=self.request_id,
            metadata=self.metadata,
        )


@attrs.frozen
class EndTask:
    """The client ends a task session, or acknowledges its end."""

    session_id: str
    status: TaskStatus
    error: str | None = None
    client_id: str | None = None

    @classmethod
    def _narrow(cls, wide: ClientMessage) -> Self:
        if wide.session_id is None:
            raise missing(wide, "session_id")
        return cls(wide.session_id, wide.status, wide.error, wide.client_id)

    def _widen(self, sender: _Sender) -> ClientMessage:
        return ClientMessage(
            type=ClientMessageType.TASK_END,
            status=self.status,
            client_type=sender.client_type,
            session_id=self.session_id,
            client_id=sender.named(self.client_id),
            timestamp=sender.timestamp,
            error=self.error,
        )


def _results(results: Iterable[Result]) -> tuple[Result, ...]:
    return tuple(results)


@attrs.frozen
class CommandResults:
    """What came of the commands of the server's turn ``prev_response_id``: one result each, in order."""

    action_results: tuple[Result, ...] = attrs.field(converter=_results)
    session_id: str
    prev_response_id: str | None
    status: TaskStatus = TaskStatus.CONTINUE
    client_id: str | None = None
    request_id: str | None = None

    @classmethod
    def _narrow(cls, wide: ClientMessage) -> Self:
        if wide.action_results is None or wide.session_id is None:
            raise missing(wide, "action_results", "session_id")
        return cls(
            wide.action_results,
            wide.session_id,
            wide.prev_response_id,
            wide.status,
            wide.client_id,
            wide.request_id,
        )

    def _widen(self, sender: _Sender) -> ClientMessage:
        return ClientMessage(
            type=ClientMessageType.COMMAND_RESULTS,
            status=self.status,
            client_type=sender.client_type,
            session_id=self.session_id,
            client_id=sender.named(self.client_id),
            action_results=list(self.action_results),
            timestamp=sender.timestamp,
            request_id=self.request_id,
            prev_response_id=self.prev_response_id,
        )


@attrs.frozen
class AskDeviceInfo:
    """A constellation asks about a device."""

    target_id: str | None
    request_id: str | None
    client_id: str | None = None

    @classmethod
    def _narrow(cls, wide: ClientMessage) -> Self:
        return cls(wide.target_id, wide.request_id, wide.client_id)

    def _widen(self, sender: _Sender) -> ClientMessage:
        return ClientMessage(
            type=ClientMessageType.DEVICE_INFO_REQUEST,
            status=TaskStatus.OK,
            client_type=sender.client_type,
            client_id=sender.named(self.client_id),
            target_id=self.target_id,
            timestamp=sender.timestamp,
            request_id=self.request_id,
        )


@attrs.frozen
class ReportDeviceInfo:
    """A device tells about itself: asked (``request_id`` is then the question's), or of its own accord."""

    info: dict[str, Any] | None
    request_id: str | None = None
    client_id: str | None = None
    error: str | None = None

    @classmethod
    def _narrow(cls, wide: ClientMessage) -> Self:
        return cls(wide.metadata, wide.request_id, wide.client_id, wide.error)

    def _widen(self, sender: _Sender) -> ClientMessage:
        return ClientMessage(
            type=ClientMessageType.DEVICE_INFO_RESPONSE,
            status=TaskStatus.OK if self.error is None else TaskStatus.ERROR,
            client_type=sender.client_type,
            client_id=sender.named(self.client_id),
            timestamp=sender.timestamp,
            request_id=self.request_id,
            error=self.error,
            metadata=self.info,
        )


@attrs.frozen
class ErrorFromClient:
    """Something went wrong at the client."""

    error: str
    client_id: str | None = None
    request_id: str | None = None
    session_id: str | None = None
    prev_response_id: str | None = None

    @classmethod
    def _narrow(cls, wide: ClientMessage) -> Self:
        return cls(
            NO_REASON if wide.error is None else wide.error,
            wide.client_id,
            wide.request_id,
            wide.session_id,
            wide.prev_response_id,
        )

    def _widen(self, sender: _Sender) -> ClientMessage:
        return ClientMessage(
            type=ClientMessageType.ERROR,
            status=TaskStatus.ERROR,
            client_type=sender.client_type,
            session_id=self.session_id,
            client_id=sender.named(self.client_id),
            timestamp=sender.timestamp,
            request_id=self.request_id,
            prev_response_id=self.prev_response_id,
            error=self.error,
        )


FromClient: TypeAlias = (
    Register
    | Heartbeat
    | AskForTask
    | EndTask
    | CommandResults
    | AskDeviceInfo
    | ReportDeviceInfo
    | ErrorFromClient
)

_NARROWERS: dict[ClientMessageType, Callable[[ClientMessage], FromClient]] = {
    ClientMessageType.REGISTER: Register._narrow,
    ClientMessageType.HEARTBEAT: Heartbeat._narrow,
    ClientMessageType.TASK: AskForTask._narrow,
    ClientMessageType.TASK_END: EndTask._narrow,
    ClientMessageType.COMMAND_RESULTS: CommandResults._narrow,
    ClientMessageType.DEVICE_INFO_REQUEST: AskDeviceInfo._narrow,
    ClientMessageType.DEVICE_INFO_RESPONSE: ReportDeviceInfo._narrow,
    ClientMessageType.ERROR: ErrorFromClient._narrow,
}


def narrow_client(wide: ClientMessage) -> FromClient:
    """What a client's message means. Raises `DecodeError` naming each field that it needs and lacks."""
    return _NARROWERS[wide.type](wide)


def widen_client(
    narrow: FromClient,
    *,
    timestamp: str | None = None,
    client_id: str | None = None,
    client_type: ClientType | None = None,
) -> ClientMessage:
    """The message of the wire that says so. ``narrow_client(widen_client(x)) == x``.

    ``timestamp`` is ISO 8601. ``client_id`` and ``client_type`` (default: device) are used where ``narrow``
    does not say itself who sends it.
    """
    return narrow._widen(_Sender(timestamp, client_id, client_type or ClientType.DEVICE))
