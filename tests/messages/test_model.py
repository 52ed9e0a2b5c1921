"""The methods that programs written against AIP call."""

import pytest

from aip_trio.errors import DecodeError
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

COMMAND = Command(tool_name="click", parameters={"x": 1}, tool_type=ToolType.ACTION)
MESSAGE = ServerMessage(type=ServerMessageType.COMMAND, status=TaskStatus.CONTINUE, actions=[COMMAND])


def test_a_dump_is_plain_but_for_enumerations() -> None:
    dump = MESSAGE.model_dump()
    assert dump["type"] is ServerMessageType.COMMAND
    assert dump["actions"] == [
        {"tool_name": "click", "parameters": {"x": 1}, "tool_type": "action", "call_id": None}
    ]
    assert dump["result"] is None


def test_a_dump_is_the_callers_own() -> None:
    MESSAGE.model_dump()["actions"][0]["parameters"]["x"] = 2
    assert COMMAND.parameters == {"x": 1}


def test_json_is_text() -> None:
    text = MESSAGE.model_dump_json()
    assert isinstance(text, str)
    assert ServerMessage.model_validate_json(text) == MESSAGE
    assert ServerMessage.model_validate_json(text.encode()) == MESSAGE


def test_a_dump_can_be_validated_and_so_can_a_mixture() -> None:
    assert ServerMessage.model_validate(MESSAGE.model_dump()) == MESSAGE
    assert ServerMessage.model_validate({**MESSAGE.model_dump(), "actions": [COMMAND]}) == MESSAGE
    plain = {"type": "command", "status": "continue", "actions": [{**COMMAND.model_dump(), "call_id": None}]}
    assert ServerMessage.model_validate(plain) == MESSAGE


def test_faults_beside_what_is_no_plain_value_are_listed() -> None:
    with pytest.raises(DecodeError) as raised:
        ServerMessage.model_validate({"type": "x", "status": TaskStatus.OK, "actions": [COMMAND, {}]})
    assert raised.value.faults == (
        f"expected one of {', '.join(ServerMessageType)}, got 'x' @ $.type",
        "is required @ $.actions[1].tool_name",
        "is required @ $.actions[1].tool_type",
    )


def test_what_is_no_utf_8_is_a_decode_error_whichever_form_it_has() -> None:
    with pytest.raises(DecodeError, match="is no JSON"):
        Result.model_validate_json('{"status":"success","error":"\ud800"}')
    with pytest.raises(DecodeError, match="is no JSON"):
        Result.model_validate_json(b'{"status":"success","error":"\xff"}')


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        MESSAGE.status = TaskStatus.OK  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
    assert not hasattr(MESSAGE, "__dict__")


def test_a_message_takes_keywords_alone() -> None:
    with pytest.raises(TypeError):
        ClientMessage(ClientMessageType.TASK, TaskStatus.OK)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError):
        Result(ResultStatus.NONE)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
