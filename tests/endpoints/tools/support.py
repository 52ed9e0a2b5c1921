"""What tests of tools share."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
import trio

from aip_trio.endpoints.tools import ToolRegistry
from aip_trio.messages import Command, Result, ResultStatus, ToolType

__all__ = ["Interruption", "as_nobody", "command", "fail", "succeed"]


def command(registry: ToolRegistry, name: str, /, **parameters: Any) -> Command:
    """A command for a tool, of the tool's own type."""
    tool_type = registry[name].tool_type if name in registry else ToolType.ACTION
    return Command(tool_name=name, parameters=parameters, tool_type=tool_type, call_id=f"call of {name}")


async def succeed(registry: ToolRegistry, name: str, /, **parameters: Any) -> Any:
    """The result of a command that has to succeed."""
    result = await registry.run(command(registry, name, **parameters))
    assert (result.status, result.error) == (ResultStatus.SUCCESS, None)
    assert result.call_id == f"call of {name}"
    return result.result


async def fail(registry: ToolRegistry, name: str, /, **parameters: Any) -> str:
    """The error of a command that has to fail."""
    result: Result = await registry.run(command(registry, name, **parameters))
    assert result.status is ResultStatus.FAILURE
    assert result.result is None
    assert result.call_id == f"call of {name}"
    assert result.error is not None
    assert "\n" not in result.error
    return result.error


@contextmanager
def as_nobody() -> Generator[None]:
    """Give up the superuser's rights, which no permission binds, while the block runs; in all threads."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@attrs.define
class Interruption:
    """Cancels ``scope`` when a thread looks for the ``at``-th time, from 0, whether it is cancelled."""

    at: int
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    looked: int = 0

    def arm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch the threads of this test."""
        check = trio.from_thread.check_cancelled
        token = trio.lowlevel.current_trio_token()

        def look() -> None:
            if self.looked == self.at:
                # Not by from_thread: the task that waits for this thread would run it, and the thread could
                # look before that task waits again, which is when it learns that it is cancelled.
                cancelled = threading.Event()
                token.run_sync_soon(self.scope.cancel)
                token.run_sync_soon(cancelled.set)
                cancelled.wait()
            self.looked += 1
            check()

        monkeypatch.setattr(trio.from_thread, "check_cancelled", look)
