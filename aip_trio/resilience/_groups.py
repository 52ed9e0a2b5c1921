"""Exception groups, as nurseries raise them."""

from typing import cast

__all__ = ["bare"]


def _members(error: BaseException) -> tuple[BaseException, ...]:
    if not isinstance(error, BaseExceptionGroup):
        return ()
    return cast("BaseExceptionGroup[BaseException]", error).exceptions


def bare(error: BaseException) -> BaseException:
    """What a nursery wrapped, where it is one exception."""
    while len(inner := _members(error)) == 1:
        error = inner[0]
    return error
