"""The reference implementation's checks, and the reasons."""

from typing import Any

import attrs
import pytest

from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Command,
    MessageValidator,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    ToolType,
)
from tests.messages.frames import VALID, Frame

REGISTER = ClientMessage(type=ClientMessageType.REGISTER, status=TaskStatus.OK, client_id="a")
TASK = ClientMessage(type=ClientMessageType.TASK, status=TaskStatus.OK, client_id="a", request="do")
RESULTS = ClientMessage(
    type=ClientMessageType.COMMAND_RESULTS,
    status=TaskStatus.OK,
    session_id="s",
    prev_response_id="r",
    action_results=[],
)
ACTION = Command(tool_name="click", tool_type=ToolType.ACTION)
COMMAND = ServerMessage(
    type=ServerMessageType.COMMAND,
    status=TaskStatus.OK,
    session_id="s",
    response_id="r",
    actions=[ACTION],
)


def test_messages_that_say_all_they_need_are_valid() -> None:
    assert MessageValidator.validate_registration(REGISTER)
    assert MessageValidator.validate_task_request(TASK)
    assert MessageValidator.validate_command_results(RESULTS)
    assert MessageValidator.validate_server_message(COMMAND)
    assert MessageValidator.validate_server_message(
        ServerMessage(type=ServerMessageType.HEARTBEAT, status=TaskStatus.OK)
    )
    for message in (REGISTER, TASK, RESULTS, COMMAND):
        assert MessageValidator.faults(message) == ()


def test_messages_of_another_type_are_not() -> None:
    assert not MessageValidator.validate_registration(TASK)
    assert not MessageValidator.validate_task_request(REGISTER)
    assert not MessageValidator.validate_command_results(TASK)


@pytest.mark.parametrize("empty", [None, ""])
def test_what_is_missing_makes_a_message_invalid_and_is_named(empty: str | None) -> None:
    register = attrs.evolve(REGISTER, client_id=empty)
    assert not MessageValidator.validate_registration(register)
    assert MessageValidator.faults(register) == ("is required @ $.client_id",)
    task = attrs.evolve(TASK, request=empty, client_id=empty)
    assert not MessageValidator.validate_task_request(task)
    assert not MessageValidator.validate_task_request(attrs.evolve(TASK, request=empty))
    assert not MessageValidator.validate_task_request(attrs.evolve(TASK, client_id=empty))
    assert MessageValidator.faults(task) == ("is required @ $.request", "is required @ $.client_id")
    results = attrs.evolve(RESULTS, prev_response_id=empty)
    assert not MessageValidator.validate_command_results(results)
    assert MessageValidator.faults(results) == ("is required @ $.prev_response_id",)
    command = attrs.evolve(COMMAND, response_id=empty)
    assert not MessageValidator.validate_server_message(command)
    assert MessageValidator.faults(command) == ("is required @ $.response_id",)


def test_a_command_needs_actions_where_results_may_be_none_at_all() -> None:
    assert not MessageValidator.validate_server_message(attrs.evolve(COMMAND, actions=[]))
    assert MessageValidator.faults(attrs.evolve(COMMAND, actions=[])) == ("is required @ $.actions",)
    without = attrs.evolve(RESULTS, action_results=None)
    assert not MessageValidator.validate_command_results(without)
    assert MessageValidator.faults(without) == ("is required @ $.action_results",)


def test_values_of_wrong_types_are_faults_before_anything_is_sent() -> None:
    unchecked: dict[str, Any] = {"client_id": 7, "error": []}
    wrong = attrs.evolve(TASK, **unchecked)
    assert MessageValidator.faults(wrong) == (
        "expected a string, got 7 @ $.client_id",
        "expected a string, got an array @ $.error",
    )
    (fault,) = MessageValidator.faults(attrs.evolve(TASK, metadata={"a": object()}))
    assert "@ $.metadata['a']" in fault


@pytest.mark.parametrize(
    "frame", [one for one in VALID if one.model in (ClientMessage, ServerMessage)], ids=repr
)
def test_the_captured_frames_have_no_faults(frame: Frame) -> None:
    message = frame.model.model_validate_json(frame.json)
    assert isinstance(message, (ClientMessage, ServerMessage))
    assert MessageValidator.faults(message) == ()
