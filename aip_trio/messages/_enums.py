"""The closed sets of AIP, by their wire values."""

from enum import StrEnum

__all__ = [
    "ClientMessageType",
    "ClientType",
    "ResultStatus",
    "ServerMessageType",
    "TaskStatus",
    "ToolType",
]


class ClientMessageType(StrEnum):
    """What a client's message is."""

    REGISTER = "register"
    HEARTBEAT = "heartbeat"
    TASK = "task"
    TASK_END = "task_end"
    COMMAND_RESULTS = "command_results"
    DEVICE_INFO_REQUEST = "device_info_request"
    DEVICE_INFO_RESPONSE = "device_info_response"
    ERROR = "error"


class ServerMessageType(StrEnum):
    """What a server's message is."""

    TASK = "task"
    COMMAND = "command"
    TASK_END = "task_end"
    HEARTBEAT = "heartbeat"
    DEVICE_INFO_REQUEST = "device_info_request"
    DEVICE_INFO_RESPONSE = "device_info_response"
    ERROR = "error"


class TaskStatus(StrEnum):
    """How the task, or the matter of the message, stands; on every message."""

    CONTINUE = "continue"
    COMPLETED = "completed"
    FAILED = "failed"
    OK = "ok"
    ERROR = "error"


class ClientType(StrEnum):
    """Who a client is: one that carries commands out, or one that asks for tasks."""

    DEVICE = "device"
    CONSTELLATION = "constellation"


class ResultStatus(StrEnum):
    """What became of a command."""

    SUCCESS = "success"
    FAILURE = "failure"
    SKIPPED = "skipped"
    NONE = "none"


class ToolType(StrEnum):
    """Whether a tool changes something, or only looks."""

    ACTION = "action"
    DATA_COLLECTION = "data_collection"
