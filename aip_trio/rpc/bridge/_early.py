"""Commands that do not wait for their turn."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import trio

from aip_trio.errors import ToolFailed
from aip_trio.messages import Command, ServerMessage, ToolType
from aip_trio.rpc.bridge._commands import BridgeCommand
from aip_trio.rpc.bridge._shared import Shared
from aip_trio.rpc.bridge._tools import Call

__all__ = ["Early"]

#: Tasks whose early commands are known: a server has no more on one device, unless it is told to.
_TASKS = 256


@attrs.define(eq=False)
class _Outcome:
    """What comes of a command that was sent before its turn; it is asked for when that has come."""

    response_id: str | None
    asked: bool = False
    value: object = None
    error: Exception | None = None
    come: trio.Event = attrs.field(factory=trio.Event)


class Early:
    """Sends what is ``always`` to be sent as soon as it comes, whatever the device is at for another task.

    A device does one batch of commands at a time. A command that is the first of its batch has nothing before
    it in its own task, and so may overtake those of others; its tool then waits for what came of it.
    """

    def __init__(self, shared: Shared, commands: Mapping[str, BridgeCommand], send: Call) -> None:
        self._shared = shared
        self._urgent = {name: command for name, command in commands.items() if command.always}
        self._send = send
        self._outcomes: dict[str, _Outcome] = {}

    def look(self, nursery: trio.Nursery, message: ServerMessage) -> None:
        """Commands have come. What is repeated, after a connection broke, is not sent again."""
        first, *_ = message.actions or (None,)
        known = self._outcomes.get(message.session_id or "")
        if message.session_id is None or first is None or not self._is_urgent(first):
            return
        if known is not None and known.response_id == message.response_id is not None:
            return
        self._outcomes.pop(message.session_id, None)
        outcome = self._outcomes[message.session_id] = _Outcome(message.response_id)
        if len(self._outcomes) > _TASKS:
            del self._outcomes[next(iter(self._outcomes))]
        nursery.start_soon(self._run, first, outcome)

    def _is_urgent(self, command: Command) -> bool:
        """Whether it is one of those, and its tool would take it."""
        given = command.parameters or {}
        return (
            command.tool_name in self._urgent
            and command.tool_type is not ToolType.DATA_COLLECTION
            and not given.keys() - {"data"}
        )

    async def _run(self, command: Command, outcome: _Outcome) -> None:  # noqa: ASYNC910 - internal
        name, data = command.tool_name, (command.parameters or {}).get("data")
        outcome.error = ToolFailed(f"the bridge failed while it sent {name}: it may or may not have run")
        try:
            outcome.value = await self._send(name, self._urgent[name], data)
            outcome.error = None
        except Exception as error:  # noqa: BLE001 - its tool raises it
            outcome.error = error
        finally:
            outcome.come.set()

    async def call(self, tool: str, command: BridgeCommand, data: object) -> object:
        """For a tool whose turn has come: what came of its command, or comes of sending it now. A checkpoint.

        Raises what sending it does.
        """
        outcome = self._ahead() if command.always else None
        if outcome is None:
            return await self._send(tool, command, data)
        await outcome.come.wait()
        if outcome.error is not None:
            raise outcome.error
        value, outcome.value = outcome.value, None  # it is remembered for longer than it is of use
        return value

    def _ahead(self) -> _Outcome | None:
        """That of the task in hand, once."""
        endpoint = self._shared.endpoint
        session_id = None if endpoint is None else endpoint.ufo_client.session_id
        outcome = self._outcomes.get(session_id or "")
        if outcome is None or outcome.asked:
            return None
        outcome.asked = True
        return outcome
