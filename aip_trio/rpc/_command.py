"""What a device is asked to do, and what becomes of it."""

from __future__ import annotations

import attrs

from aip_trio.rpc._open_enum import OpenEnum

__all__ = [
    "ApiCommand",
    "ApiCommandReqeustResult",
    "ApiCommandRequest",
    "ApiCommandRequestErrorKind",
    "ApiCommandRequestResponse",
    "ApiCommandRequestResult",
]


class ApiCommand(OpenEnum):
    """What to do. Devices may know more commands than these."""

    #: does nothing: is anybody there?
    NONE = 0
    START_ACQUISITION = 100
    STOP_ACQUISITION = 110
    EMERGENCY_STOP = 200
    EMERGENCY_RESUME = 210
    GET_CONFIGURATION = 300
    GET_STATUS = 400
    #: ours: events that a subscriber has missed (see docs/how-to/rpc-client.md)
    REPLAY = 90001
    #: what the two sides have agreed on; told apart by ``custom_command``
    USER_DEFINED = 99999


class ApiCommandRequestResult(OpenEnum):
    """What became of a command."""

    #: the device does not know it
    UNRECOGNIZED = 0
    SUCCESS = 100
    #: begun, and perhaps not at its end; nothing else will be said
    PENDING = 200
    #: begun; its end will be published on COMMAND_RESULT
    PENDING_WITH_NOTIFICATION = 201
    #: tried, and not done
    FAILED = 400
    #: tried, and broken by an exception
    EXCEPTION = 500
    #: known, and not possible now
    UNAVAILABLE = 9999


#: The name as auto-trainer-api 0.9 spells it.
ApiCommandReqeustResult = ApiCommandRequestResult


class ApiCommandRequestErrorKind(OpenEnum):
    """Whose error it was."""

    NONE = 0
    #: the service's: what the device answered could not be sent
    SYSTEM_ERROR = 1
    #: the command's: see the error code
    COMMAND_ERROR = 2


@attrs.frozen
class ApiCommandRequest:
    """A command as a device receives it."""

    command: ApiCommand
    #: which of the commands that are USER_DEFINED
    custom_command: int = -1
    #: the client's number for it; with the command it names the one that a COMMAND_RESULT is about
    nonce: int = -1
    #: what else there is to say: plain values, their keys in snake_case
    data: object = None


@attrs.frozen
class ApiCommandRequestResponse:
    """What a device answers to a command, or publishes on COMMAND_RESULT at the end of a pending one."""

    result: ApiCommandRequestResult
    #: plain values, attrs or dataclass instances, and whatever else `encode_message` writes
    data: object = None
    #: of the device; 0: none
    error_code: int = 0
    error_message: str | None = None
    #: the two are the request's; needed on COMMAND_RESULT alone
    command: ApiCommand = ApiCommand.NONE
    nonce: int = -1
