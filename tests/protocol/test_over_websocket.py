"""The conversations of wire/aip.md 1 to 4 and 6 over a real socket, each side written with the protocols."""

from collections.abc import Awaitable, Callable

import pytest
import trio

from aip_trio.errors import ConnectionLost
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
from aip_trio.protocol import (
    Accepted,
    Admission,
    AIPProtocol,
    DeviceInfoProtocol,
    HeartbeatProtocol,
    RegistrationProtocol,
    TaskExecutionProtocol,
    TaskSession,
    TaskSessionState,
)
from aip_trio.transport import WebSocketTransport, serve_websocket

COMMANDS = [
    Command(tool_name="look", parameters={"at": place}, tool_type=ToolType.DATA_COLLECTION, call_id=place)
    for place in ("here", "there")
]


class Desk:
    """A server of one room, with one device: answers what comes, by the pure rules and the protocols."""

    def __init__(self) -> None:
        self.sessions: dict[str, TaskSession] = {}

    async def serve(self, transport: WebSocketTransport) -> None:
        registration = RegistrationProtocol(transport)
        decision = Admission().first_frame(await registration.receive_message(ClientMessage))
        if not isinstance(decision, Accepted):
            await registration.send_registration_error(decision.reason)
            return
        await registration.send_registration_confirmation()
        protocol = AIPProtocol(transport)
        while True:
            try:
                data = await transport.receive()
            except ConnectionLost:
                return
            message = await protocol.unpack(data, ClientMessage)
            fault = Admission().check(message, decision.register, data)
            if fault is None:
                await self.answer(transport, message)
            else:
                await protocol.send_error(fault)

    async def answer(self, transport: WebSocketTransport, message: ClientMessage) -> None:
        if message.type is ClientMessageType.HEARTBEAT:
            await HeartbeatProtocol(transport).send_heartbeat_ack()
        elif message.type is ClientMessageType.DEVICE_INFO_REQUEST:
            info = DeviceInfoProtocol(transport)
            await info.send_device_info_response({"os": "linux"}, message.request_id)
        elif message.type is ClientMessageType.TASK:
            session = self.sessions[message.session_id or ""] = TaskSession(message.session_id or "")
            session.begin()
            await self.turn(transport, session)
        elif message.type is ClientMessageType.COMMAND_RESULTS:
            session = self.sessions[message.session_id or ""]
            results = session.results(message.prev_response_id, message.action_results)
            if session.turns < 3:
                await self.turn(transport, session)
            else:
                session.end(TaskStatus.COMPLETED)
                tasks = TaskExecutionProtocol(transport)
                last = [result.result for result in results]
                await tasks.send_task_end(session.session_id, TaskStatus.COMPLETED, result=last)

    async def turn(self, transport: WebSocketTransport, session: TaskSession) -> None:
        turn = session.command(f"r{session.turns}", COMMANDS)
        tasks = TaskExecutionProtocol(transport)
        await tasks.send_commands(turn.actions, session.session_id, turn.response_id)


async def register(transport: WebSocketTransport) -> None:
    protocol = RegistrationProtocol(transport)
    assert await protocol.register_as_device("dev", platform="linux"), protocol.refusal


async def heartbeat(transport: WebSocketTransport) -> None:
    await register(transport)
    protocol = HeartbeatProtocol(transport)
    await protocol.send_heartbeat("dev")
    assert (await protocol.receive_message()).type is ServerMessageType.HEARTBEAT


async def device_info(transport: WebSocketTransport) -> None:
    registration = RegistrationProtocol(transport)
    assert await registration.register_as_constellation("orch", "dev"), registration.refusal
    protocol = DeviceInfoProtocol(transport)
    question = await protocol.request_device_info("orch", "dev")
    answer = await protocol.receive_message()
    assert (answer.response_id, answer.result) == (question, {"os": "linux"})


async def another_identity(transport: WebSocketTransport) -> None:
    await register(transport)
    protocol = DeviceInfoProtocol(transport)
    await protocol.request_device_info("orch", "dev", "q")  # as a constellation, which it is not
    await HeartbeatProtocol(transport).send_heartbeat("other")
    for wrong in ("'orch'", "'other'"):
        refusal = await protocol.receive_message()
        assert refusal.type is ServerMessageType.ERROR
        assert wrong in (refusal.error or "")
    await HeartbeatProtocol(transport).send_heartbeat("dev")  # the connection lives on
    assert (await protocol.receive_message()).type is ServerMessageType.HEARTBEAT


async def task(transport: WebSocketTransport) -> None:
    await register(transport)
    protocol = TaskExecutionProtocol(transport)
    await protocol.send_task_request("look around", "look", "s", "dev")
    turns = 0
    while True:
        message = await protocol.receive_message(ServerMessage)
        if message.type is ServerMessageType.TASK_END:
            break
        assert message.actions == COMMANDS
        results = [
            Result(status=ResultStatus.SUCCESS, result=command.parameters, call_id=command.call_id)
            for command in COMMANDS
        ]
        turns += 1
        await protocol.send_command_results(results, "s", "dev", message.response_id or "")
    assert turns == 3
    assert (message.status, message.result) == (TaskStatus.COMPLETED, [{"at": "here"}, {"at": "there"}])
    assert protocol.session_state("s") is TaskSessionState.COMPLETED


async def wrong_first_frame(transport: WebSocketTransport) -> None:
    protocol = AIPProtocol(transport)
    await protocol.send_message(ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK))
    refusal = await protocol.receive_message()
    assert (refusal.type, refusal.status) == ("error", "error")
    assert "register" in (refusal.error or "")
    with pytest.raises(ConnectionLost):
        await protocol.receive_message()


@pytest.mark.trio
@pytest.mark.parametrize(
    "conversation", [register, heartbeat, device_info, another_identity, task, wrong_first_frame]
)
async def test_conversation(conversation: Callable[[WebSocketTransport], Awaitable[None]]) -> None:
    async with trio.open_nursery() as nursery:
        server = await serve_websocket(Desk().serve, nursery=nursery)
        with trio.fail_after(20):
            async with WebSocketTransport() as transport:
                await transport.connect(server.url)
                await conversation(transport)
        await server.close()
        nursery.cancel_scope.cancel()
