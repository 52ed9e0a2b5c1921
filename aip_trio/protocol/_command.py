"""Commands and their results: are they whole, and does each answer belong to its question."""

from collections.abc import Iterable
from enum import Enum

from aip_trio.machine import Machine
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Codec,
    Command,
    Result,
    ResultStatus,
    ServerMessage,
    ServerMessageType,
    ToolType,
    WireModel,
)
from aip_trio.protocol._conversations import NO_STEP, Conversations, Step
from aip_trio.protocol._protocol import AIPProtocol
from aip_trio.transport import Transport

__all__ = ["COMMAND_MACHINE", "CommandEvent", "CommandProtocol", "CommandState"]


class CommandState(Enum):
    """Whose turn it is in a session."""

    IDLE = "idle"  #: the server's
    EXECUTING = "executing"  #: the device's


class CommandEvent(Enum):
    """What happens to the turn."""

    COMMAND = "command"
    RESULTS = "results"
    END = "end"


COMMAND_MACHINE = Machine(
    "command",
    initial=CommandState.IDLE,
    table={
        CommandState.IDLE: {
            CommandEvent.COMMAND: CommandState.EXECUTING,
            CommandEvent.END: CommandState.IDLE,
        },
        CommandState.EXECUTING: {
            CommandEvent.RESULTS: CommandState.IDLE,
            CommandEvent.END: CommandState.IDLE,
        },
    },
)


class CommandProtocol(AIPProtocol):
    """Says whether commands and results are whole, and whose turn it is in each session.

    Keeps to `COMMAND_MACHINE` for each session that passes through it both ways: a command is answered
    before the next one is sent.
    """

    def __init__(self, transport: Transport, *, codec: Codec | None = None) -> None:
        super().__init__(transport, codec=codec)
        self._sessions = Conversations(COMMAND_MACHINE)

    def command_state(self, session_id: str) -> CommandState:
        """Whose turn it is in a session."""
        return self._sessions.state(session_id) or CommandState.IDLE

    def validate_command(self, cmd: Command) -> bool:
        """Whether a command names its tool, and says of which type it is."""
        named = isinstance(cmd.tool_name, str) and bool(cmd.tool_name.strip())
        parameters = cmd.parameters is None or isinstance(cmd.parameters, dict)
        return named and parameters and isinstance(cmd.tool_type, ToolType)

    def validate_commands(self, commands: Iterable[Command]) -> bool:
        """Whether all of them are valid."""
        return all(self.validate_command(command) for command in commands)

    def validate_result(self, result: Result) -> bool:
        """Whether a result says what became of its command."""
        return isinstance(result.status, ResultStatus)

    def validate_results(self, results: Iterable[Result]) -> bool:
        """Whether all of them are valid."""
        return all(self.validate_result(result) for result in results)

    def _advance(self, message: WireModel, *, sending: bool) -> Step:
        if not isinstance(message, (ClientMessage, ServerMessage)) or message.session_id is None:
            return NO_STEP
        event = _EVENTS.get(message.type)
        if event is None:
            return NO_STEP
        joins = CommandState.EXECUTING if event is CommandEvent.RESULTS else CommandState.IDLE
        return self._sessions.fire(message.session_id, event, joins=joins, strict=self._strict)


_EVENTS: dict[ClientMessageType | ServerMessageType, CommandEvent] = {
    ServerMessageType.COMMAND: CommandEvent.COMMAND,
    ClientMessageType.COMMAND_RESULTS: CommandEvent.RESULTS,
    ServerMessageType.TASK_END: CommandEvent.END,
}
