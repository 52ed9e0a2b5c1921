"""Device information between a constellation, a server and a device (wire/aip.md 6)."""

import pytest

from aip_trio.errors import IllegalTransition, UnexpectedMessage
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ClientType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
)
from aip_trio.protocol import AIPProtocol, DeviceInfoProtocol, DeviceInfoState
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport

INFO = {"os": "linux", "cores": 2}


def ends() -> tuple[DeviceInfoProtocol, DeviceInfoProtocol]:
    near, far = MemoryTransport.pair()
    return DeviceInfoProtocol(near), DeviceInfoProtocol(far)


@pytest.mark.trio
async def test_a_question_and_its_answer() -> None:
    orchestrator, server = ends()
    assert await orchestrator.request_device_info("orch", "dev", "q1") == "q1"
    question = await server.receive_message(ClientMessage)
    assert question.type is ClientMessageType.DEVICE_INFO_REQUEST
    assert (question.client_type, question.status) == (ClientType.CONSTELLATION, "ok")
    assert (question.client_id, question.target_id, question.request_id) == ("orch", "dev", "q1")
    assert question.timestamp
    await server.send_device_info_response(INFO, "q1")
    answer = await orchestrator.receive_message()
    assert (answer.type, answer.status, answer.error) == ("device_info_response", "ok", None)
    assert (answer.response_id, answer.result) == ("q1", INFO)
    for end in (orchestrator, server):
        assert end.question_state("q1") is DeviceInfoState.ANSWERED


@pytest.mark.trio
async def test_a_question_has_an_id_of_its_own_where_none_is_given() -> None:
    orchestrator, server = ends()
    ids = [await orchestrator.request_device_info("orch", "dev") for _ in range(2)]
    seen = [(await server.receive_message(ClientMessage)).request_id for _ in range(2)]
    assert ids == seen
    assert len(set(ids)) == 2


@pytest.mark.trio
async def test_an_answer_may_say_why_there_is_none() -> None:
    orchestrator, server = ends()
    await orchestrator.request_device_info("orch", "dev", "q1")
    await server.receive_message(ClientMessage)
    await server.send_device_info_response(None, "q1", "device 'dev' is not connected")
    answer = await orchestrator.receive_message()
    assert (answer.status, answer.result) == ("error", None)
    assert answer.error == "device 'dev' is not connected"
    assert orchestrator.question_state("q1") is DeviceInfoState.FAILED


@pytest.mark.trio
async def test_a_device_may_tell_unasked_as_often_as_it_likes() -> None:
    device, server = ends()
    for _ in range(3):
        await device.send_device_info_push("dev", INFO)
        message = await server.receive_message(ClientMessage)
        assert message.type is ClientMessageType.DEVICE_INFO_RESPONSE
        assert (message.client_id, message.client_type) == ("dev", ClientType.DEVICE)
        assert (message.metadata, message.request_id) == (INFO, None)


@pytest.mark.trio
async def test_a_question_is_asked_and_answered_once() -> None:
    orchestrator, server = ends()
    await orchestrator.request_device_info("orch", "dev", "q1")
    await server.receive_message(ClientMessage)
    await server.send_device_info_response(INFO, "q1")
    await orchestrator.receive_message()
    with pytest.raises(IllegalTransition):
        await server.send_device_info_response(INFO, "q1")
    with pytest.raises(IllegalTransition):
        await orchestrator.request_device_info("orch", "dev", "q1")
    plain = AIPProtocol(server.transport)
    await plain.send_message(
        ServerMessage(
            type=ServerMessageType.DEVICE_INFO_RESPONSE, status=TaskStatus.OK, response_id="q1", result=INFO
        )
    )
    with pytest.raises(UnexpectedMessage, match="nothing more"):
        await orchestrator.receive_message()


@pytest.mark.trio
async def test_an_object_that_only_sends_takes_questions_as_it_finds_them() -> None:
    _, server = ends()
    for error in ("busy", None):
        await server.send_device_info_response(INFO, "q1", error)
    assert server.question_state("q1") is DeviceInfoState.ANSWERED


def test_every_send_can_be_cancelled() -> None:
    async def asking(point: CancelPoint) -> None:
        orchestrator, server = ends()
        with point:
            await orchestrator.request_device_info("orch", "dev", "q1")
        expected = None if point.cancelled else DeviceInfoState.ASKED
        assert orchestrator.question_state("q1") is expected
        assert server.is_connected()

    async def answering(point: CancelPoint) -> None:
        _, server = ends()
        with point:
            await server.send_device_info_response(INFO, "q1")
        assert (server.question_state("q1") is None) == point.cancelled

    async def pushing(point: CancelPoint) -> None:
        device, _ = ends()
        with point:
            await device.send_device_info_push("dev", INFO)

    for scenario in (asking, answering, pushing):
        assert cancel_at_every_checkpoint(scenario) == 1
