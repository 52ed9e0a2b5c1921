"""What a program does with the commands that come."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from typing import Protocol

import attrs

from aip_trio.rpc._command import ApiCommandRequest, ApiCommandRequestResponse

__all__ = ["CommandRequestDelegate", "Delegate"]


class CommandRequestDelegate(Protocol):
    """Does a command, or begins it: a plain function, which runs in a thread, or an async one, on Trio.

    What it raises is the client's answer: EXCEPTION, with the error's text. Where it takes its time, the
    client is told PENDING_WITH_NOTIFICATION, and its response is published on COMMAND_RESULT. One that
    returns PENDING_WITH_NOTIFICATION itself sees to that itself, with `RpcService.send_command_result`.
    """

    def __call__(
        self, request: ApiCommandRequest, /
    ) -> ApiCommandRequestResponse | Awaitable[ApiCommandRequestResponse]:
        """Called once for each command, and for many at once."""
        ...


@attrs.frozen
class Delegate:
    """A delegate, looked at once."""

    function: CommandRequestDelegate
    is_async: bool

    @classmethod
    def of(cls, function: CommandRequestDelegate) -> Delegate:
        """See whether it is async; a class's ``__call__`` may be."""
        call = getattr(type(function), "__call__", None)  # noqa: B004 - it is what `async def` stands before
        return cls(function, inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call))
