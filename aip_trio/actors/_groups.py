"""Exception groups, as nurseries raise them."""

from typing import cast

import trio

__all__ = ["bare", "has_cancelled", "interrupts"]


def _members(error: BaseException) -> tuple[BaseException, ...]:
    if not isinstance(error, BaseExceptionGroup):
        return ()
    return cast("BaseExceptionGroup[BaseException]", error).exceptions


def bare(error: BaseException) -> BaseException:
    """What a nursery wrapped, where it is one exception."""
    while len(inner := _members(error)) == 1:
        error = inner[0]
    return error


def has_cancelled(error: BaseException) -> bool:
    """Whether there is a cancellation in it."""
    return isinstance(error, trio.Cancelled) or any(has_cancelled(inner) for inner in _members(error))


def interrupts(error: BaseException) -> bool:
    """Whether there is a KeyboardInterrupt, or one of its like, in it: nobody's crash to be restarted."""
    if inner := _members(error):
        return any(map(interrupts, inner))
    return not isinstance(error, (Exception, trio.Cancelled, GeneratorExit))
