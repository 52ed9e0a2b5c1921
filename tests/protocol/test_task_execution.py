"""Tasks between a server and a client, each message as a plain peer sees it (wire/aip.md 4 and 5)."""

from collections.abc import Awaitable, Callable

import pytest

from aip_trio.errors import IllegalTransition, InvalidSpec, UnexpectedMessage
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ClientType,
    Command,
    Result,
    ResultStatus,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    ToolType,
)
from aip_trio.protocol import AIPProtocol, TaskExecutionProtocol, TaskSessionState
from aip_trio.testing import CancelPoint, cancel_at_every_checkpoint
from aip_trio.transport import MemoryTransport

LOOK = Command(tool_name="look", parameters={"at": "x"}, tool_type=ToolType.DATA_COLLECTION, call_id="c1")
DONE = Result(status=ResultStatus.SUCCESS, result={"seen": True}, call_id="c1")


def ends() -> tuple[TaskExecutionProtocol, AIPProtocol]:
    near, far = MemoryTransport.pair()
    return TaskExecutionProtocol(near), AIPProtocol(far)


async def from_client(send: Callable[[TaskExecutionProtocol], Awaitable[None]]) -> ClientMessage:
    near, far = ends()
    await send(near)
    message = await far.receive_message(ClientMessage)
    assert message.timestamp
    return message


async def from_server(send: Callable[[TaskExecutionProtocol], Awaitable[None]]) -> ServerMessage:
    near, far = ends()
    await send(near)
    message = await far.receive_message()
    assert message.timestamp
    return message


@pytest.mark.trio
async def test_a_task_request_says_what_by_whom_and_for_whom() -> None:
    message = await from_client(
        lambda client: client.send_task_request(
            "Open it", "open", "s", "orch", "dev", ClientType.CONSTELLATION, {"commands": []}
        )
    )
    assert (message.type, message.status) == (ClientMessageType.TASK, TaskStatus.CONTINUE)
    assert (message.request, message.task_name, message.session_id) == ("Open it", "open", "s")
    assert (message.client_id, message.target_id) == ("orch", "dev")
    assert message.client_type is ClientType.CONSTELLATION
    assert message.metadata == {"commands": []}
    assert message.request_id


@pytest.mark.trio
async def test_a_device_asks_for_itself() -> None:
    message = await from_client(lambda client: client.send_task_request("Open it", "open", None, "dev"))
    assert (message.client_type, message.target_id, message.session_id) == (ClientType.DEVICE, None, None)


@pytest.mark.trio
async def test_an_assignment_offers_a_task() -> None:
    message = await from_server(
        lambda server: server.send_task_assignment("Open it", "open", "s", "r", "agent", "notepad.exe")
    )
    assert (message.type, message.status) == (ServerMessageType.TASK, TaskStatus.CONTINUE)
    assert (message.user_request, message.task_name) == ("Open it", "open")
    assert (message.session_id, message.response_id) == ("s", "r")
    assert (message.agent_name, message.process_name) == ("agent", "notepad.exe")


@pytest.mark.trio
async def test_commands_go_out_in_one_message() -> None:
    message = await from_server(
        lambda server: server.send_commands(
            iter([LOOK, LOOK]), "s", "r", agent_name="a", process_name="p", root_name="o", task_name="t"
        )
    )
    assert (message.type, message.status) == (ServerMessageType.COMMAND, TaskStatus.CONTINUE)
    assert message.actions == [LOOK, LOOK]
    assert (message.session_id, message.response_id) == ("s", "r")
    assert (message.agent_name, message.process_name, message.root_name, message.task_name) == tuple("apot")


@pytest.mark.trio
async def test_a_command_made_already_goes_as_it_is_and_nothing_else_does() -> None:
    command = ServerMessage(
        type=ServerMessageType.COMMAND, status=TaskStatus.CONTINUE, actions=[LOOK], session_id="s"
    )
    near, far = ends()
    await near.send_command(command)
    assert await far.receive_message() == command
    with pytest.raises(InvalidSpec, match="heartbeat"):
        await near.send_command(ServerMessage(type=ServerMessageType.HEARTBEAT, status=TaskStatus.OK))


@pytest.mark.trio
async def test_results_name_what_they_answer_in_either_order_of_arguments() -> None:
    one = await from_client(lambda client: client.send_command_results(iter([DONE]), "s", "dev", "r"))
    two = await from_client(
        lambda client: client.send_task_result("s", "r", [DONE], TaskStatus.COMPLETED, client_id="dev")
    )
    for message, status in ((one, TaskStatus.CONTINUE), (two, TaskStatus.COMPLETED)):
        assert (message.type, message.status) == (ClientMessageType.COMMAND_RESULTS, status)
        assert message.action_results == [DONE]
        assert (message.session_id, message.client_id, message.prev_response_id) == ("s", "dev", "r")
        assert message.request_id


@pytest.mark.trio
async def test_an_end_completes_with_a_result_or_fails_with_an_error() -> None:
    good = await from_server(lambda server: server.send_task_end("s", TaskStatus.COMPLETED, {"n": 1}))
    bad = await from_server(
        lambda server: server.send_task_end("s", TaskStatus.FAILED, error="denied", response_id="r")
    )
    assert (good.type, good.status, good.result, good.error) == ("task_end", "completed", {"n": 1}, None)
    assert (bad.type, bad.status, bad.result, bad.error) == ("task_end", "failed", None, "denied")
    assert good.response_id
    assert bad.response_id == "r"


@pytest.mark.trio
async def test_a_session_does_not_end_by_going_on() -> None:
    near, _ = ends()
    with pytest.raises(InvalidSpec, match="status"):
        await near.send_task_end("s", TaskStatus.CONTINUE)


@pytest.mark.trio
async def test_an_end_is_acknowledged() -> None:
    message = await from_client(
        lambda client: client.send_task_end_ack("s", "dev", TaskStatus.FAILED, error="gave up")
    )
    assert (message.type, message.status, message.error) == ("task_end", "failed", "gave up")
    assert (message.session_id, message.client_id) == ("s", "dev")


# -- whole sessions


@pytest.mark.trio
async def test_both_ends_agree_on_where_a_session_stands() -> None:
    near, far = MemoryTransport.pair()
    server, device = TaskExecutionProtocol(near), TaskExecutionProtocol(far)

    def stand() -> TaskSessionState | None:
        state = server.session_state("s")
        assert device.session_state("s") is state
        return state

    assert stand() is None
    await server.send_task_assignment("Open it", "open", "s", "r0")
    await device.receive_message()
    assert stand() is TaskSessionState.REQUESTED
    await device.send_task_request("Open it", "open", "s", "dev")
    await server.receive_message(ClientMessage)
    assert stand() is TaskSessionState.REQUESTED
    for turn in ("r1", "r2"):
        await server.send_commands([LOOK], "s", turn)
        await device.receive_message()
        assert stand() is TaskSessionState.AWAITING_RESULTS
        await device.send_command_results([DONE], "s", "dev", turn)
        await server.receive_message(ClientMessage)
        assert stand() is TaskSessionState.RUNNING
    await server.send_task_end("s", TaskStatus.COMPLETED)
    await device.receive_message()
    assert stand() is TaskSessionState.COMPLETED
    await device.send_task_end_ack("s", "dev", TaskStatus.COMPLETED)
    await server.receive_message(ClientMessage)
    assert stand() is TaskSessionState.COMPLETED
    await device.send_task_request("Open it", "open", "s", "dev")  # once more
    await server.receive_message(ClientMessage)
    assert stand() is TaskSessionState.REQUESTED


@pytest.mark.trio
async def test_a_task_may_end_without_a_turn() -> None:
    server, device = ends()
    await device.send_message(
        ClientMessage(type=ClientMessageType.TASK, status=TaskStatus.CONTINUE, session_id="s", request="x")
    )
    await server.receive_message(ClientMessage)
    await server.send_task_end("s", TaskStatus.COMPLETED)
    assert server.session_state("s") is TaskSessionState.COMPLETED


@pytest.mark.trio
async def test_the_peers_message_out_of_turn_is_gone_and_the_connection_lives_on() -> None:
    server, device = ends()
    results = ClientMessage(
        type=ClientMessageType.COMMAND_RESULTS,
        status=TaskStatus.CONTINUE,
        session_id="s",
        action_results=[DONE],
        prev_response_id="r1",
    )
    await server.send_commands([LOOK], "s", "r1")
    for _ in range(2):  # the second one answers nothing
        await device.send_message(results)
    assert (await server.receive_message(ClientMessage)).prev_response_id == "r1"
    with pytest.raises(UnexpectedMessage, match="command_results"):
        await server.receive_message(ClientMessage)
    await server.send_commands([LOOK], "s", "r2")
    assert server.session_state("s") is TaskSessionState.AWAITING_RESULTS


@pytest.mark.trio
async def test_an_object_that_only_sends_takes_sessions_as_it_finds_them() -> None:
    server, _ = ends()
    for turn in ("r1", "r2"):  # the results are read elsewhere
        await server.send_commands([LOOK], "s", turn)
    assert server.session_state("s") is TaskSessionState.AWAITING_RESULTS
    await server.send_task_end("s", TaskStatus.COMPLETED)
    assert server.session_state("s") is TaskSessionState.COMPLETED


@pytest.mark.trio
async def test_sessions_do_not_disturb_each_other() -> None:
    server, device = ends()
    await server.send_commands([LOOK], "a", "r1")
    await server.send_commands([LOOK], "b", "r2")
    await device.send_message(
        ClientMessage(
            type=ClientMessageType.COMMAND_RESULTS,
            status=TaskStatus.CONTINUE,
            session_id="b",
            action_results=[DONE],
        )
    )
    await server.receive_message(ClientMessage)
    assert server.session_state("a") is TaskSessionState.AWAITING_RESULTS
    assert server.session_state("b") is TaskSessionState.RUNNING
    with pytest.raises(IllegalTransition):
        await server.send_commands([LOOK], "a", "r3")


@pytest.mark.trio
async def test_what_could_not_be_sent_has_not_happened() -> None:
    server, device = ends()
    await device.close()
    with pytest.raises(ConnectionError):
        await server.send_commands([LOOK], "s", "r1")
    assert server.session_state("s") is None


def test_a_cancelled_send_leaves_no_wrong_belief() -> None:
    async def scenario(point: CancelPoint) -> None:
        server, device = ends()
        await server.send_commands([LOOK], "s", "r0")
        await device.send_message(
            ClientMessage(
                type=ClientMessageType.COMMAND_RESULTS,
                status=TaskStatus.CONTINUE,
                session_id="s",
                action_results=[DONE],
            )
        )
        await server.receive_message(ClientMessage)
        with point:
            await server.send_commands([LOOK], "s", "r1")
        if point.cancelled:
            assert server.session_state("s") is None
            await server.send_commands([LOOK], "s", "r1")  # again is not refused
        assert server.session_state("s") is TaskSessionState.AWAITING_RESULTS

    assert cancel_at_every_checkpoint(scenario) == 1
