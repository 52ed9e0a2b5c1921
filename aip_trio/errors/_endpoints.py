"""What goes wrong between endpoints."""

from typing import Any

import attrs

from aip_trio.errors._base import AipError
from aip_trio.errors._usage import UsageError

__all__ = [
    "DeviceInfoUnavailable",
    "DeviceNotConnected",
    "EndpointError",
    "EndpointNotRunning",
    "SessionTaken",
    "StartCalledOff",
    "TaskFailed",
    "TaskRefused",
]


@attrs.define(slots=False)
class EndpointNotRunning(UsageError, RuntimeError):
    """A call that needs a started endpoint was made before its start, or after its end."""

    call: str
    endpoint: str

    def __str__(self) -> str:
        return (
            f"{self.call} of a {self.endpoint} that does not run: `await endpoint.start()` inside a system,"
            " or use it in `async with endpoint:`"
        )


@attrs.define(slots=False)
class SessionTaken(UsageError, ValueError):
    """A session_id names one running task."""

    session_id: str

    def __str__(self) -> str:
        return f"session_id={self.session_id!r}: a task with it is running: leave it out to have one made"


class EndpointError(AipError):
    """A device, an orchestrator or a task failed; the endpoint itself goes on."""


@attrs.define(slots=False)
class StartCalledOff(EndpointError, ConnectionError):
    """An endpoint, or a connection of it, was stopped before its start had come to its end."""

    what: str

    def __str__(self) -> str:
        return f"the start of {self.what} was called off: it was stopped meanwhile"


@attrs.define(slots=False)
class DeviceNotConnected(EndpointError, ConnectionError):
    """The device is not connected at this moment."""

    device_id: str

    def __str__(self) -> str:
        return f"device {self.device_id!r} is not connected: connect to it first, or wait until it is back"


@attrs.define(slots=False)
class DeviceInfoUnavailable(EndpointError):
    """A device did not tell about itself."""

    device_id: str
    reason: str

    def __str__(self) -> str:
        return f"device {self.device_id!r}: no information: {self.reason}"


@attrs.define(slots=False)
class TaskRefused(EndpointError):
    """A server did not take a task on."""

    session_id: str
    reason: str

    def __str__(self) -> str:
        return f"task {self.session_id!r} was refused: {self.reason}"


@attrs.define(slots=False)
class TaskFailed(EndpointError):
    """A task ended as failed; raised by a task function, with what there is of a result all the same."""

    reason: str
    result: Any = None

    def __str__(self) -> str:
        return f"the task failed: {self.reason}"
