"""What an orchestrator asks of a device, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from aip_trio.actors import current_environment
from aip_trio.errors import InvalidSpec
from aip_trio.messages import TaskStatus

__all__ = ["ExecutionResult", "TaskRequest", "end_of"]

_ENDS = {
    TaskStatus.COMPLETED: TaskStatus.COMPLETED,
    TaskStatus.OK: TaskStatus.COMPLETED,
    TaskStatus.FAILED: TaskStatus.FAILED,
    TaskStatus.ERROR: TaskStatus.FAILED,
}


def end_of(status: TaskStatus) -> TaskStatus | None:
    """What the status of a `task_end` comes to: completed, failed, or None where it ends nothing."""
    return _ENDS.get(status)


def _new_id() -> str:
    return current_environment().new_id()


def _now() -> datetime:
    return current_environment().now()


#: What a request may have as a dict. ("session_id" is the wire's word for "task_id".)
_KINDS: dict[str, type | tuple[type, ...]] = {
    "task_id": str,
    "session_id": str,
    "request": str,
    "task_name": str,
    "metadata": Mapping,
    "timeout": (int, float),
}


@attrs.frozen(kw_only=True)
class TaskRequest:
    """A task for one device.

    ``task_id`` is the session's id on the wire; ``timeout``: seconds until the orchestrator stops waiting.
    """

    task_id: str = attrs.field(factory=_new_id)
    device_id: str = ""
    request: str = ""
    task_name: str = ""
    metadata: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    timeout: float = 300.0
    created_at: datetime = attrs.field(factory=_now)

    def __attrs_post_init__(self) -> None:
        if not self.timeout >= 0:
            raise InvalidSpec("TaskRequest.timeout", self.timeout, "give seconds, 0 or more")

    @classmethod
    def of(cls, given: Mapping[str, Any] | TaskRequest, device_id: str) -> TaskRequest:
        """A request from a dict, as seed 000 writes them, or as it is; for this device.

        A dict has "request", and may have "task_name", "session_id" (or "task_id"), "metadata", "timeout".
        Raises InvalidSpec that names a key that is unknown or has the wrong type.
        """
        if isinstance(given, TaskRequest):
            return attrs.evolve(given, device_id=device_id)
        # None is the same as absent, as on the wire.
        fields = {key: value for key, value in given.items() if value is not None and key != "device_id"}
        for key, value in fields.items():
            if key not in _KINDS:
                known = ", ".join(_KINDS)
                raise InvalidSpec(f"task_request[{key!r}]", value, f"no such key: choose from {known}")
            if not isinstance(value, _KINDS[key]):
                raise InvalidSpec(f"task_request[{key!r}]", value, "this key takes another type of value")
        session_id = fields.pop("session_id", None)
        if session_id is not None and fields.setdefault("task_id", session_id) != session_id:
            raise InvalidSpec("task_request['task_id']", fields["task_id"], "give it or session_id, not both")
        return cls(device_id=device_id, **fields)


@attrs.frozen(kw_only=True)
class ExecutionResult:
    """What became of a task: ``status`` is completed or failed; ``result`` is what the server sent."""

    task_id: str
    status: TaskStatus
    metadata: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    error: str | None = None
    result: Any = None

    @property
    def completed(self) -> bool:
        """Whether it did what was asked."""
        return self.status is TaskStatus.COMPLETED
