"""Why a tree did not start."""

from __future__ import annotations

from aip_trio.errors import StartFailed

__all__ = ["reason_of"]


def reason_of(failed: BaseException) -> BaseException:
    """What is at the bottom of a failed start: each supervisor on the way up has wrapped it once more."""
    while isinstance(failed, StartFailed):
        failed = failed.cause
    return failed
