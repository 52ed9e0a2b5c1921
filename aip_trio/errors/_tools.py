"""What a device's tool could not, or would not, do.

Their texts go over the wire as the ``error`` of a failed result: they name paths as the peer wrote them, and
nothing of the machine beyond the tools' root folder.
"""

from typing import Any

import attrs

from aip_trio.errors._base import AipError, show

__all__ = [
    "FileFailed",
    "InvalidParameters",
    "InvalidToolResult",
    "PathOutsideRoot",
    "ProgramNotAllowed",
    "ProgramNotStarted",
    "ToolError",
    "ToolFailed",
    "ToolTimeout",
    "ToolUnavailable",
    "UnknownTool",
    "UnsupportedFile",
    "WrongToolType",
]

_LONGEST_LIST = 20


class ToolError(AipError):
    """One call of a tool failed. The tools, the session and the connection live on."""


@attrs.define(slots=False)
class UnknownTool(ToolError, LookupError):
    """The device has no tool of that name."""

    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"no tool {show(self.name)}: there are {_listed(self.known)}"


@attrs.define(slots=False)
class WrongToolType(ToolError, ValueError):
    """A command that was to collect data names a tool that acts. Nothing has been done."""

    tool: str
    tool_type: str
    wanted: str

    def __str__(self) -> str:
        return f"tool {self.tool!r} is of tool_type={self.tool_type!r}, not {self.wanted!r}: ask for that"


@attrs.define(slots=False)
class InvalidParameters(ToolError, ValueError):
    """Parameters that the tool does not take; ``faults``: each as "what @ path", where ``$`` is the whole."""

    tool: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return f"tool {self.tool!r} cannot take these parameters: {'; '.join(self.faults)}"


@attrs.define(slots=False)
class InvalidToolResult(ToolError, TypeError):
    """What a tool returned has no form in JSON, or too large a one. What the tool did has been done."""

    tool: str
    reason: str

    def __str__(self) -> str:
        return f"tool {self.tool!r} has run, but its result cannot be sent: {self.reason}"


@attrs.define(slots=False)
class ToolFailed(ToolError):
    """What a tool's author raises to fail a call with a text of their own, and what there is of a result.

    Any other exception out of a tool fails the call, too, but is taken for a bug, and logged as one.
    """

    reason: str
    result: Any = None

    def __str__(self) -> str:
        return " ".join(self.reason.splitlines())


@attrs.define(slots=False)
class ToolTimeout(ToolError, TimeoutError):
    """A tool did not end within ``timeout`` seconds and was cancelled."""

    tool: str
    timeout: float

    def __str__(self) -> str:
        return f"tool {self.tool!r} did not end within timeout={self.timeout} s and was cancelled"


@attrs.define(slots=False)
class ToolUnavailable(ToolError, RuntimeError):
    """The device lacks what the tool works with."""

    tool: str
    reason: str

    def __str__(self) -> str:
        return f"tool {self.tool!r} is not available: {self.reason}"


@attrs.define(slots=False)
class PathOutsideRoot(ToolError, ValueError):
    """A path that leads, or could lead, out of the tools' root folder."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"path={show(self.path)} {self.reason}: give one below the root folder, relative to it"


@attrs.define(slots=False)
class UnsupportedFile(ToolError, ValueError):
    """What a path leads to is not what the tool works on, such as a pipe where a file is wanted."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"path={show(self.path)} {self.reason}"


@attrs.define(slots=False)
class FileFailed(ToolError):
    """The operating system refused; ``code`` is its name for the reason, such as ENOENT."""

    path: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"path={show(self.path)}: {self.reason} ({self.code})"


@attrs.define(slots=False)
class ProgramNotAllowed(ToolError, ValueError):
    """A program that is not on the device's list."""

    program: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"program={show(self.program)} is not allowed on this device: it allows {_listed(self.allowed)}"
        )


@attrs.define(slots=False)
class ProgramNotStarted(ToolError):
    """A program that is on the list, and could not be started."""

    program: str
    reason: str

    def __str__(self) -> str:
        return f"program={show(self.program)} could not be started: {self.reason}"


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _LONGEST_LIST
    listed = ", ".join(names[:_LONGEST_LIST]) or "none"
    return f"{listed} and {more} more" if more > 0 else listed
