"""Sends the commands of a bridge's tools."""

from __future__ import annotations

from typing import Protocol

import trio

from aip_trio.actors import current_environment
from aip_trio.errors import AipError, ToolFailed, ToolUnavailable
from aip_trio.rpc._command import ApiCommand, ApiCommandRequestResult
from aip_trio.rpc._wire import Reply
from aip_trio.rpc.bridge._commands import BridgeCommand
from aip_trio.rpc.bridge._outcome import outcome
from aip_trio.rpc.bridge._shared import Shared
from aip_trio.rpc.client import PresenceState

__all__ = ["Caller", "Commands"]


class Commands(Protocol):
    """What takes commands: an `RpcClient`."""

    async def command(
        self,
        command: int,
        data: object = None,
        *,
        custom_command: int = -1,
        timeout: float | None = None,  # noqa: ASYNC109 - as RpcClient has it
        wait: bool = False,
    ) -> Reply:
        """Send a command, and wait for its answer; with ``wait``, for its end."""
        ...


class Caller:
    """Calls the service for a tool; where that is impossible, it says so in one line.

    ``timeout``: seconds for a command and its end. ``client``: what there is of one at the time.
    """

    def __init__(self, shared: Shared, timeout: float) -> None:
        self._shared = shared
        self._timeout = timeout
        self.client: Commands | None = None

    async def send(self, tool: str, command: BridgeCommand, data: object) -> object:
        """Send the command, and return what its tool does. A checkpoint.

        Raises ToolUnavailable where it was not sent, and ToolFailed where it was not done, or may not be.
        """
        await trio.lowlevel.checkpoint()
        if self.client is None:
            raise ToolUnavailable(tool, "the bridge is starting its client of the service anew; try again")
        silent = self._shared.presence in (PresenceState.MISSING, PresenceState.GONE)
        if silent and not command.always:
            raise ToolUnavailable(tool, self._shared.silence)
        try:
            reply = await self.client.command(
                command.command,
                data,
                custom_command=command.custom_command,
                timeout=self._timeout,
                wait=not silent,  # its end would come as an event, and there are none
            )
        except AipError as error:
            raise ToolFailed(f"{command.title}: {error}") from error
        if command.command == ApiCommand.GET_STATUS and reply.result == ApiCommandRequestResult.SUCCESS:
            self._shared.answered(reply.data, current_environment().now())
        return outcome(command.title, reply)
