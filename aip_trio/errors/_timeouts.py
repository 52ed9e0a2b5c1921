"""What took too long."""

import attrs

from aip_trio.errors._base import AipError

__all__ = ["OperationTimeout"]


@attrs.define(slots=False)
class OperationTimeout(AipError, TimeoutError):
    """An operation did not end within its time, and was cancelled."""

    operation: str
    timeout: float

    def __str__(self) -> str:
        return f"{self.operation} took longer than timeout={self.timeout} s and was cancelled"
