"""What keeps a web application from being served."""

import attrs

from aip_trio.errors._base import AipError
from aip_trio.errors._usage import UsageError

__all__ = ["AppFailed", "WebMissing"]


@attrs.define(slots=False)
class WebMissing(UsageError, ImportError):
    """The library that serves web applications is not installed, or not in a version that fits."""

    reason: str

    def __str__(self) -> str:
        return f"cannot serve a web application ({self.reason}): pip install 'aip-trio[web]'"


@attrs.define(slots=False)
class AppFailed(AipError, RuntimeError):
    """A web application did not start, or its lifespan ended while it was served; the cause is its own."""

    stage: str
    reason: str

    def __str__(self) -> str:
        return f"the web application failed in its {self.stage}: {self.reason or 'it gave no reason'}"
