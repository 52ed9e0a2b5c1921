"""One message to bytes and back: a device's command_results with four results."""

from __future__ import annotations

from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    Codec,
    Result,
    ResultStatus,
    ServerMessage,
    TaskStatus,
)
from benchmarks._harness import OURS, Figure, Load, Measures, Row, Subject, Target, timed

__all__ = ["ROW"]

MESSAGE = ClientMessage(
    type=ClientMessageType.COMMAND_RESULTS,
    status=TaskStatus.CONTINUE,
    session_id="session_123",
    client_id="windows_agent_001",
    action_results=[
        Result(status=ResultStatus.SUCCESS, result={"clicked": True}, namespace="ui", call_id="cmd_001"),
        Result(status=ResultStatus.FAILURE, error="Element not found: btn_submit"),
        Result(status=ResultStatus.SKIPPED),
        Result(status=ResultStatus.NONE, result=[1, 2.5, None, "é"]),
    ],
    timestamp="2024-11-04T10:30:00Z",
    request_id="req_789",
    prev_response_id="resp_456",
)


def ours(load: Load) -> Measures:
    """The codec of a connection."""
    codec = Codec(ClientMessage, ServerMessage)
    frame = codec.encode(MESSAGE)
    with timed() as encoding:
        for _ in range(load.work):
            codec.encode(MESSAGE)
    with timed() as decoding:
        for _ in range(load.work):
            codec.decode(frame, ClientMessage)
    return {"encode": encoding.rate(load.work), "decode": decoding.rate(load.work)}


def pydantic(load: Load) -> Measures:
    """The calls that its users make; a transport takes bytes."""
    from benchmarks import _pydantic

    message = _pydantic.ClientMessage.model_validate_json(MESSAGE.model_dump_json())
    frame = message.model_dump_json().encode()
    with timed() as encoding:
        for _ in range(load.work):
            message.model_dump_json().encode()
    with timed() as decoding:
        for _ in range(load.work):
            _pydantic.ClientMessage.model_validate_json(frame)
    return {"encode": encoding.rate(load.work), "decode": decoding.rate(load.work)}


PEER = "pydantic"
RATE = "messages/s"

ROW = Row(
    name="codec",
    title="codec, a command_results message",
    work=100_000,
    rounds=7,
    subjects=(Subject(OURS, ours), Subject(PEER, pydantic, needs="pydantic")),
    figures=(
        Figure("encode, beside pydantic 2", "encode", RATE, peer=PEER, target=Target(3, ratio=True)),
        Figure("decode, beside pydantic 2", "decode", RATE, peer=PEER, target=Target(2, ratio=True)),
    ),
)
