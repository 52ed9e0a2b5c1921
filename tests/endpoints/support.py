"""What the tests of endpoints share: a server, a device's worker, and looking whether anything is left."""

import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from aip_trio.actors import ActorSystem, open_system
from aip_trio.endpoints import DeviceServerEndpoint
from aip_trio.messages import Command, Result, ResultStatus, ServerMessage, ToolType
from aip_trio.resilience import ReconnectionStrategy

__all__ = ["Worker", "action", "living", "patient", "quick", "serving", "sockets", "until", "unused_port"]


def quick(max_retries: int | None = None) -> ReconnectionStrategy:
    """Comes back soon, so that no test waits for it."""
    return ReconnectionStrategy(max_retries, initial_backoff=0.01, max_backoff=0.1)


def action(tool: str, **parameters: object) -> Command:
    """A command for a device."""
    return Command(tool_name=tool, parameters=parameters, tool_type=ToolType.ACTION)


async def until(true: Callable[[], object]) -> None:
    """Wait for what will be true in a moment."""
    while not true():  # noqa: ASYNC110 - what is looked at tells nobody of its changes
        await trio.sleep(0.001)


async def unused_port() -> int:
    """A port of the loopback at which nobody listens."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        return int(listener.socket.getsockname()[1])


@asynccontextmanager
async def patient(seconds: float = 10.0) -> AsyncGenerator[ActorSystem]:
    """A system in which a hang is a failure, and which is empty at its end but for what is asked to stop."""
    with trio.fail_after(seconds):
        tasks = living()
        async with open_system() as system:
            yield system
        assert living() == tasks, "a task is left"


@asynccontextmanager
async def serving(**options: Any) -> AsyncGenerator[DeviceServerEndpoint]:
    """A server on the loopback, in a system of its own, which has to be empty when it has stopped."""
    async with patient() as system:
        options.setdefault("port", 0)
        server = DeviceServerEndpoint(**options)
        await server.start()
        yield server
        await server.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]


def living() -> int:
    """How many tasks there are."""
    return trio.lowlevel.current_statistics().tasks_living


def sockets() -> int:
    """How many sockets this process has."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
        except FileNotFoundError:  # that of listing them
            continue
    return count


class Worker:
    """A device's worker as a program has one: it answers with what it was told, when it may."""

    platform = "linux"

    def __init__(self, client_id: str = "dev-1") -> None:
        self.client_id = client_id
        self.session_id: str | None = None
        #: of each command: its session and tool, as it begins
        self.begun: list[tuple[str | None, str]] = []
        self.cancelled: list[str | None] = []
        self.resets = 0
        self.gate = trio.Event()
        self.gate.set()

    def hold(self) -> None:
        """Let commands wait, until the gate is opened."""
        self.gate = trio.Event()

    def reset(self) -> None:
        self.resets += 1
        self.session_id = None

    async def execute_step(self, server_message: ServerMessage) -> Sequence[Result]:
        results: list[Result] = []
        for command in server_message.actions or ():
            self.begun.append((server_message.session_id, command.tool_name))
            try:
                await self.gate.wait()
            except trio.Cancelled:
                self.cancelled.append(server_message.session_id)
                raise
            results.append(
                Result(
                    status=ResultStatus.SUCCESS,
                    result={"tool": command.tool_name, "parameters": command.parameters},
                    call_id=command.call_id,
                )
            )
        return results
