"""ConstellationEndpoint against a plain server, over real sockets: tasks, device info, what comes in."""

from typing import Any

import pytest
import trio

from aip_trio.endpoints import (
    AgentProfile,
    ConstellationState,
    ExecutionResult,
    TaskRequest,
)
from aip_trio.errors import (
    DeviceInfoUnavailable,
    DeviceNotConnected,
    EncodeError,
    InvalidSpec,
    OperationTimeout,
    SessionTaken,
)
from aip_trio.messages import ServerMessage, ServerMessageType, TaskStatus
from tests.endpoints.orchestrator_end import Sent, connect, connected, orchestrating, state
from tests.endpoints.peer import Frame
from tests.endpoints.support import until


@pytest.mark.trio
async def test_it_registers_for_the_device() -> None:
    async with orchestrating(metadata={"room": 7}) as (endpoint, plain):
        assert state(endpoint) is ConstellationState.READY
        assert not endpoint.is_connected()
        server, profile, register = await connect(endpoint, plain)
        assert (register["client_id"], register["client_type"]) == ("orch@dev-1", "constellation")
        assert register["target_id"] == "dev-1"
        assert register["metadata"]["room"] == 7
        assert register["metadata"]["targeted_device_id"] == "dev-1"
        assert endpoint.is_connected()
        assert endpoint.is_device_connected("dev-1")
        assert not endpoint.is_device_connected("dev-2")
        assert state(endpoint) is ConstellationState.ACTIVE
        assert endpoint.devices == {"dev-1": profile}
        assert (profile.status, profile.connection_attempts) == ("connected", 0)
        await endpoint.stop()
        assert await server.closed() == 1000
        assert not endpoint.is_connected()
        assert state(endpoint) is ConstellationState.STOPPED


@pytest.mark.trio
async def test_a_task_goes_out_and_its_end_comes_back() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        metadata: Frame = {"commands": []}
        sent = Sent(nursery, endpoint, request="look", task_name="t", session_id="s1", metadata=metadata)
        task = await server.receive("task")
        assert (task["client_id"], task["client_type"]) == ("orch@dev-1", "constellation")
        assert (task["target_id"], task["session_id"], task["request"]) == ("dev-1", "s1", "look")
        assert (task["task_name"], task["metadata"]) == ("t", metadata)
        assert endpoint.devices["dev-1"].current_task_id == "s1"
        await server.send("task_end", "completed", session_id="s1", result=[1, None])
        await until(lambda: sent.result)
        assert (sent.ended.task_id, sent.ended.status) == ("s1", TaskStatus.COMPLETED)
        assert sent.ended.completed
        assert sent.ended.result == [1, None]
        assert sent.ended.metadata["device_id"] == "dev-1"
        assert endpoint.devices["dev-1"].current_task_id is None


@pytest.mark.trio
async def test_a_task_request_may_be_an_object_and_has_a_name_and_an_id_by_itself() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        nursery.start_soon(endpoint.send_task_to_device, "dev-1", TaskRequest(request="look"))
        task = await server.receive("task")
        assert task["task_name"] == "orch"
        assert task["session_id"]
        await server.send("task_end", "failed", session_id=task["session_id"], error="no eyes")


@pytest.mark.trio
async def test_tasks_side_by_side_end_in_any_order_and_a_failure_is_a_result() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        tasks = {str(number): Sent(nursery, endpoint, session_id=str(number)) for number in range(5)}
        for _ in tasks:
            await server.receive("task")
        for name in ("3", "1", "4", "0", "2"):
            await server.send("task_end", "failed", session_id=name, error=f"no {name}")
            sent = tasks[name]
            await until(lambda sent=sent: sent.result)  # type: ignore[misc]
            assert (sent.ended.error, sent.ended.completed) == (f"no {name}", False)


@pytest.mark.trio
async def test_the_first_end_counts_and_others_are_nobodys() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        await server.send("task_end", "completed", session_id="never heard of")
        sent = Sent(nursery, endpoint, session_id="s1")
        await server.receive("task")
        await server.send("task_end", "failed", session_id="s1", error="first")
        await server.send("task_end", "completed", session_id="s1", result="second")
        await until(lambda: sent.result)
        assert sent.ended.error == "first"
        another = Sent(nursery, endpoint, session_id="s2")  # when it has ended, "second" has been dealt with
        await server.receive("task")
        await server.send("task_end", "completed", session_id="s2")
        await until(lambda: another.result)
        again = Sent(nursery, endpoint, session_id="s1")
        await server.receive("task")
        await server.send("task_end", "completed", session_id="s1", result="third")
        await until(lambda: again.result)
        assert again.ended.result == "third"


@pytest.mark.trio
async def test_progress_is_heard_as_it_comes_and_each_line_once() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        sent = Sent(nursery, endpoint, session_id="s1")
        await server.receive("task")
        progress = {"user_request": "", "session_id": "s1"}
        await server.send("task", "continue", messages=["one", "two"], **progress)
        await until(lambda: sent.lines == ["one", "two"])
        await server.send("task", "continue", messages=["other"], user_request="", session_id="s2")
        await server.send("task_end", "completed", session_id="s1", messages=["one", "two", "three"])
        await until(lambda: sent.result)
        assert sent.lines == ["one", "two", "three"]
        assert sent.ended.metadata["log"] == ["one", "two", "three"]


@pytest.mark.trio
async def test_an_on_log_that_raises_harms_nobody() -> None:
    def broken(line: str) -> None:
        raise RuntimeError(line)

    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        request = {"session_id": "s1"}
        results: list[ExecutionResult] = []

        async def send() -> None:
            results.append(await endpoint.send_task_to_device("dev-1", request, on_log=broken))

        nursery.start_soon(send)
        await server.receive("task")
        await server.send("task", "continue", messages=["one"], user_request="", session_id="s1")
        await server.send("task_end", "completed", session_id="s1", messages=["one", "two"])
        await until(lambda: results)
        assert results[0].completed
        assert endpoint.is_device_connected("dev-1")


@pytest.mark.trio
async def test_a_task_without_an_end_times_out() -> None:
    async with connected() as (endpoint, server, _):
        with pytest.raises(OperationTimeout, match="s1") as raised:
            await endpoint.send_task_to_device("dev-1", {"session_id": "s1", "timeout": 0.05})
        assert isinstance(raised.value, TimeoutError)
        await server.receive("task")
        await server.send("task_end", "completed", session_id="s1")  # late: for the log
        assert endpoint.devices["dev-1"].current_task_id is None


@pytest.mark.trio
async def test_bad_tasks_are_the_callers_mistakes_and_nothing_is_sent() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        with pytest.raises(InvalidSpec, match="colour"):
            await endpoint.send_task_to_device("dev-1", {"colour": "red"})
        with pytest.raises(EncodeError):
            await endpoint.send_task_to_device("dev-1", {"metadata": {"handle": object()}})
        with pytest.raises(DeviceNotConnected, match="dev-9"):
            await endpoint.send_task_to_device("dev-9", {})
        assert endpoint.devices["dev-1"].current_task_id is None
        sent = Sent(nursery, endpoint, session_id="s1")
        task = await server.receive("task")
        assert task["session_id"] == "s1"
        with pytest.raises(SessionTaken, match="s1"):
            await endpoint.send_task_to_device("dev-1", {"session_id": "s1"})
        await server.send("task_end", "completed", session_id="s1")
        await until(lambda: sent.result)
        assert sent.ended.completed


@pytest.mark.trio
async def test_a_cancelled_task_is_forgotten_here() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        async with trio.open_nursery() as asking:
            asking.start_soon(endpoint.send_task_to_device, "dev-1", {"session_id": "s1"})
            await server.receive("task")
            asking.cancel_scope.cancel()
        again = Sent(nursery, endpoint, session_id="s1")
        await server.receive("task")
        await server.send("task_end", "completed", session_id="s1")
        await until(lambda: again.result)
        assert again.ended.completed


# Device info


@pytest.mark.trio
async def test_device_info_is_asked_and_answered() -> None:
    async with connected() as (endpoint, server, _):

        async def answer(**fields: Any) -> None:
            question = await server.receive("device_info_request")
            assert (question["target_id"], question["client_type"]) == ("dev-1", "constellation")
            await server.send("device_info_response", response_id="another's", result={"os": "wrong"})
            await server.send("device_info_response", response_id=question["request_id"], **fields)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: answer(result={"os": "linux"}))
            assert await endpoint.device_info("dev-1") == {"os": "linux"}
        for fields, reason in (
            ({"status": "error", "error": "no eyes"}, "no eyes"),
            ({"status": "ok"}, "none"),
            ({"status": "ok", "result": "text"}, "none"),
        ):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(lambda fields=fields: answer(**fields))  # type: ignore[misc]
                with pytest.raises(DeviceInfoUnavailable, match=reason):
                    await endpoint.device_info("dev-1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: answer(status="error", error="no eyes"))
            assert await endpoint.request_device_info("dev-1") is None
        assert await endpoint.request_device_info("dev-9") is None
        with pytest.raises(DeviceNotConnected):
            await endpoint.device_info("dev-9")


@pytest.mark.trio
async def test_device_info_that_does_not_come_is_none() -> None:
    async with connected(timeout=0.2) as (endpoint, server, _):
        with pytest.raises(OperationTimeout):
            await endpoint.device_info("dev-1")
        assert await endpoint.request_device_info("dev-1") is None
        for _ in range(2):
            await server.receive("device_info_request")


# What comes in


@pytest.mark.trio
async def test_a_message_processor_sees_every_message_and_what_it_raises_is_its_own() -> None:
    class Processor:
        def __init__(self) -> None:
            self.seen: list[ServerMessageType] = []

        async def process_message(self, msg: ServerMessage) -> None:
            self.seen.append(msg.type)
            raise RuntimeError("of no concern")

    general, special = Processor(), Processor()
    async with orchestrating(message_processor=general) as (endpoint, plain), trio.open_nursery() as nursery:
        server, _, _ = await connect(endpoint, plain)
        profile = AgentProfile(device_id="dev-2", server_url=plain.url)
        nursery.start_soon(endpoint.connect_to_device, profile, special)
        other, _ = await plain.registered()
        await until(lambda: endpoint.is_device_connected("dev-2"))
        await other.send("heartbeat")
        sent = Sent(nursery, endpoint, session_id="s1")
        await server.receive("task")
        await server.send("task", "continue", user_request="x")
        await server.send("command", "continue", session_id="s1", actions=[])
        await server.send("error", "error", error="you there")
        await server.send("device_info_request")
        await server.send("task_end", "completed", session_id="s1")
        await until(lambda: sent.result)
        assert sent.ended.completed
        assert [kind.value for kind in general.seen] == [
            "task",
            "command",
            "error",
            "device_info_request",
            "task_end",
        ]
        await until(lambda: special.seen == [ServerMessageType.HEARTBEAT])


@pytest.mark.trio
async def test_what_makes_no_sense_is_answered_with_an_error_and_the_connection_lives_on() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        sent = Sent(nursery, endpoint, session_id="s1")
        await server.receive("task")
        for frame in (
            "{",
            b"\xff",
            '{"type": "dance", "status": "ok"}',
            '{"type": "task_end", "status": "ok"}',
        ):
            await server.wire.send(frame)
            assert (await server.receive("error"))["client_type"] == "constellation"
        await server.send("task_end", "completed", session_id="s1")
        await until(lambda: sent.result)
        assert sent.ended.completed
