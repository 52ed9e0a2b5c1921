"""Giving operations so long and no longer."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

import trio

from aip_trio.errors import InvalidSpec, OperationTimeout

__all__ = ["TimeoutManager"]

logger = logging.getLogger("aip_trio.resilience")

T = TypeVar("T")


class TimeoutManager:
    """Cancels operations that take longer than they may.

    An operation is an awaitable, or a function without arguments that returns one. Timeouts are seconds:
    None is ``default_timeout``; 0 is 0, which ends the operation at its first checkpoint; math.inf is no
    limit.
    """

    def __init__(self, default_timeout: float = 120.0) -> None:
        self.default_timeout = _seconds("default_timeout", default_timeout)

    async def with_timeout(
        self,
        awaitable: Awaitable[T] | Callable[[], Awaitable[T]],
        timeout: float | None = None,  # noqa: ASYNC109 - the API's
        operation_name: str = "operation",
    ) -> T:
        """The operation's result. A checkpoint if the operation is one.

        :raises OperationTimeout: it took too long; it was cancelled, and has ended
        :raises InvalidSpec: a negative timeout
        """
        seconds = self._limit(awaitable, timeout)
        with trio.move_on_after(seconds):
            return await _started(awaitable)
        raise OperationTimeout(operation_name, seconds)

    async def with_timeout_or_none(
        self,
        awaitable: Awaitable[T] | Callable[[], Awaitable[T]],
        timeout: float | None = None,  # noqa: ASYNC109 - the API's
        operation_name: str = "operation",
    ) -> T | None:
        """As `with_timeout`, but None where it took too long, which is logged.

        An OperationTimeout of the operation's own goes through.
        """
        seconds = self._limit(awaitable, timeout)
        with trio.move_on_after(seconds):
            return await _started(awaitable)
        logger.info("%s took longer than timeout=%s s and was cancelled", operation_name, seconds)
        return None

    def _limit(self, awaitable: object, timeout: float | None) -> float:
        if timeout is None:
            return self.default_timeout
        try:
            return _seconds("timeout", timeout)
        except InvalidSpec:
            # It will not run; without this, Python warns that a coroutine was never awaited.
            if isinstance(awaitable, Coroutine):
                awaitable.close()
            raise


def _started(awaitable: Awaitable[T] | Callable[[], Awaitable[T]]) -> Awaitable[T]:
    if isinstance(awaitable, Awaitable):
        return awaitable  # pyright: ignore[reportUnknownVariableType]  # may be a function, too, of any result
    return awaitable()


def _seconds(name: str, value: float) -> float:
    if not isinstance(value, (int, float)) or not value >= 0:
        raise InvalidSpec(name, value, "give seconds, 0 or more")
    return value
