"""CommandProtocol's checks, and whose turn it is."""

from typing import Any

import attrs
import pytest

from aip_trio.errors import IllegalTransition, UnexpectedMessage
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Command,
    Result,
    ResultStatus,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    ToolType,
)
from aip_trio.protocol import AIPProtocol, CommandProtocol, CommandState
from aip_trio.transport import MemoryTransport

LOOK = Command(tool_name="look", tool_type=ToolType.ACTION)
DONE = Result(status=ResultStatus.NONE)
CHECKS = CommandProtocol(MemoryTransport())


@pytest.mark.parametrize("tool_type", ToolType)
@pytest.mark.parametrize("parameters", [None, {}, {"a": [1]}])
def test_a_command_that_names_tool_and_type_is_valid(
    tool_type: ToolType, parameters: dict[str, object] | None
) -> None:
    command = attrs.evolve(LOOK, tool_type=tool_type, parameters=parameters)
    assert CHECKS.validate_command(command)
    assert CHECKS.validate_commands(iter([command, LOOK]))


@pytest.mark.parametrize(
    "change",
    [
        {"tool_name": ""},
        {"tool_name": " \t"},
        {"tool_name": None},
        {"tool_type": None},
        {"tool_type": "delete"},
        {"parameters": [1]},
    ],
    ids=str,
)
def test_one_that_lacks_something_is_not(change: dict[str, Any]) -> None:
    command = attrs.evolve(LOOK, **change)
    assert not CHECKS.validate_command(command)
    assert not CHECKS.validate_commands([LOOK, command])


@pytest.mark.parametrize("status", ResultStatus)
def test_a_result_with_a_status_is_valid(status: ResultStatus) -> None:
    assert CHECKS.validate_result(attrs.evolve(DONE, status=status))
    assert CHECKS.validate_results([])


@pytest.mark.parametrize("status", [None, "", "fine"])
def test_one_without_is_not(status: Any) -> None:
    result = attrs.evolve(DONE, status=status)
    assert not CHECKS.validate_result(result)
    assert not CHECKS.validate_results([DONE, result])


def command(session: str | None) -> ServerMessage:
    return ServerMessage(
        type=ServerMessageType.COMMAND, status=TaskStatus.CONTINUE, session_id=session, actions=[LOOK]
    )


def results(session: str) -> ClientMessage:
    return ClientMessage(
        type=ClientMessageType.COMMAND_RESULTS,
        status=TaskStatus.CONTINUE,
        session_id=session,
        action_results=[DONE],
    )


@pytest.mark.trio
async def test_in_a_session_a_command_waits_for_the_results_of_the_one_before() -> None:
    near, far = MemoryTransport.pair()
    device, server = CommandProtocol(far), AIPProtocol(near)
    for _ in range(2):
        await server.send_message(command("a"))
        await device.receive_message()
        assert device.command_state("a") is CommandState.EXECUTING
        await device.send_message(results("a"))
        assert device.command_state("a") is CommandState.IDLE
    await server.send_message(command("a"))
    await server.send_message(command("b"))  # another session has its own turns
    await server.send_message(command("a"))
    await device.receive_message()
    await device.receive_message()
    with pytest.raises(UnexpectedMessage, match="command"):
        await device.receive_message()
    assert device.command_state("b") is CommandState.EXECUTING
    await device.send_message(results("b"))
    with pytest.raises(IllegalTransition):
        await device.send_message(results("b"))


@pytest.mark.trio
async def test_commands_without_a_session_are_nobodys_turn() -> None:
    near, far = MemoryTransport.pair()
    device, server = CommandProtocol(far), AIPProtocol(near)
    for _ in range(2):
        await server.send_message(command(None))
        await device.receive_message()
    await server.send_error("another matter")
    assert (await device.receive_message()).error == "another matter"
