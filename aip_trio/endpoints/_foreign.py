"""What a program's own code may raise, without harm to those beside it."""

from __future__ import annotations

from typing import cast

import trio

__all__ = ["foreign"]

_OURS = (trio.Cancelled, KeyboardInterrupt, GeneratorExit)


def foreign(error: BaseException) -> bool:
    """Whether this is the program's own error: no cancellation, and no Ctrl-C, in it.

    `SystemExit` is: a library that calls `sys.exit` in one task does not end the server.
    """
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(foreign(each) for each in group.exceptions)
    return not isinstance(error, _OURS)
