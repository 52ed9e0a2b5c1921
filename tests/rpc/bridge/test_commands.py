"""A fleet's commands, on their way to a service."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.endpoints import ExecutionResult
from aip_trio.errors import AipError, CommandLost, CommandTimeout, ServiceUnreachable
from aip_trio.rpc import ApiCommand, ApiCommandRequestResult
from aip_trio.rpc._wire import Reply
from aip_trio.rpc.client import PresenceState as P
from tests.endpoints.memory import virtual
from tests.rpc.bridge.support import bridging, event


def fault(end: ExecutionResult) -> str:
    """Why the one command of a task failed."""
    (result,) = end.result
    assert result["status"] == "failure"
    return str(result["error"])


@virtual
async def test_commands_reach_the_service_in_their_order_and_answers_come_back() -> None:
    async with bridging() as crew:
        await crew.joins()
        crew.service.begun.clear()  # the first is the bridge's own, for the status
        end = await crew.task("get_status", "start_acquisition", data={"rate": 5})
        assert end.completed
        assert [result["result"] for result in end.result] == [{"did": 400}, {"did": 100}]
        assert crew.service.begun == [(400, {"rate": 5}), (100, {"rate": 5})]
        assert crew.service.clients[0].waits[-2:] == [True, True]


@virtual
async def test_a_command_that_fails_is_a_failed_result_and_no_more() -> None:
    async def answer(command: int, data: object) -> Reply:
        await trio.lowlevel.checkpoint()
        result = ApiCommandRequestResult.FAILED if command == 100 else ApiCommandRequestResult.SUCCESS
        return Reply(1, ApiCommand(command), result, error_code=7, error_message="not now")

    async with bridging() as crew:
        await crew.joins()
        crew.service.answer = answer
        end = await crew.task("start_acquisition", "stop_acquisition")
        assert [result["status"] for result in end.result] == ["failure", "success"]
        assert end.result[0]["error"] == "START_ACQUISITION ended with FAILED, error_code=7: not now"
        assert end.result[0]["result"]["error_code"] == 7


@virtual
@pytest.mark.parametrize(
    "error",
    [
        CommandLost(110, 5, "reply", "tcp://127.0.0.1:5557"),
        CommandTimeout(110, 5, "result", 60.0),
        ServiceUnreachable("tcp://127.0.0.1:5557", 60.0, "nobody listens there"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_command_without_an_answer_fails_with_the_reason(
    error: AipError, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(command: int, data: object) -> Reply:
        await trio.lowlevel.checkpoint()
        raise error

    async with bridging() as crew:
        await crew.joins()
        crew.service.answer = answer
        assert fault(await crew.task("stop_acquisition")) == f"STOP_ACQUISITION: {error}"
        assert "Traceback" not in caplog.text


@virtual
async def test_while_the_service_is_silent_commands_fail_at_once_but_an_emergency_stop_is_tried() -> None:
    async with bridging() as crew:
        await crew.joins()
        crew.service.begun.clear()
        await crew.service.becomes(P.MISSING)
        told = fault(await crew.task("get_status"))
        assert told.startswith("tool 'get_status' is not available: RPC service 'bench-1' gives no heartbeat")
        assert told.endswith("nothing was sent to it")
        assert "not available" in fault(await crew.task("emergency_resume"))
        assert crew.service.begun == []
        assert (await crew.task("emergency_stop")).completed
        assert crew.service.begun == [(200, None)]
        assert crew.service.clients[0].waits[-1] is False
        await crew.service.becomes(P.PRESENT)
        assert (await crew.task("get_status")).completed


@virtual
async def test_recent_events_come_from_what_was_published() -> None:
    async with bridging() as crew:
        await crew.joins()
        await crew.service.publishes(event(1101, where="left"), event(1102))
        end = await crew.task("recent_events", kind="tunnelEnter")
        (result,) = end.result
        (found,) = result["result"]
        assert (found["topic"], found["kind"]) == ("EVENT", "tunnelEnter")
        assert found["message"]["context"] == {"where": "left"}


@virtual
async def test_a_command_in_hand_when_the_service_goes_does_not_hold_up_the_next() -> None:
    async def never(command: int, data: object) -> Reply:
        await trio.sleep_forever()
        raise AssertionError

    async with bridging() as crew:
        await crew.joins()
        crew.service.answer = never
        ends: list[bool] = []

        async def ask() -> None:
            ends.append((await crew.task("start_acquisition")).completed)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await wait_all_tasks_blocked()
            await crew.service.becomes(P.GONE)
        assert ends == [False]
        crew.service.answer = None
        await crew.joins()
        assert (await crew.task("start_acquisition")).completed


@virtual
async def test_an_emergency_stop_overtakes_what_the_device_is_at_for_another_task() -> None:
    gate = trio.Event()

    async def answer(command: int, data: object) -> Reply:
        if command == 100:
            await gate.wait()
        await trio.lowlevel.checkpoint()
        return Reply(1, ApiCommand(command), ApiCommandRequestResult.SUCCESS, {"did": command, "data": data})

    async with bridging() as crew:
        await crew.joins()
        crew.service.answer = answer
        crew.service.begun.clear()
        ends: list[object] = []

        async def ask(*tools: str) -> None:
            ends.append((await crew.task(*tools, data={"by": tools[0]})).result[-1]["result"])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, "start_acquisition", "emergency_stop")
            await wait_all_tasks_blocked()
            nursery.start_soon(ask, "emergency_stop", "get_status", "emergency_stop")
            await wait_all_tasks_blocked()
            # In its own task it waits for its turn; in another one's way it does not.
            assert [number for number, _ in crew.service.begun] == [100, 200]
            assert crew.service.begun[1] == (200, {"by": "emergency_stop"})
            gate.set()
        # Each was sent once, and each task has the answer to its own.
        assert [number for number, _ in crew.service.begun[2:]].count(200) == 2
        assert [number for number, _ in crew.service.begun[2:]].count(400) == 1
        assert sorted(map(str, ends)) == [
            "{'did': 200, 'data': {'by': 'emergency_stop'}}",
            "{'did': 200, 'data': {'by': 'start_acquisition'}}",
        ]


@virtual
async def test_an_emergency_stop_that_came_early_and_failed_fails_in_its_turn() -> None:
    async def answer(command: int, data: object) -> Reply:
        await trio.lowlevel.checkpoint()
        return Reply(1, ApiCommand(command), ApiCommandRequestResult.UNAVAILABLE, error_message="no brakes")

    async with bridging() as crew:
        await crew.joins()
        crew.service.answer = answer
        crew.service.begun.clear()
        assert fault(await crew.task("emergency_stop")) == "EMERGENCY_STOP ended with UNAVAILABLE: no brakes"
        assert crew.service.begun == [(200, None)]


@virtual
async def test_an_emergency_stop_that_its_tool_would_refuse_is_not_sent() -> None:
    async with bridging() as crew:
        await crew.joins()
        crew.service.begun.clear()
        assert "cannot take these parameters" in fault(await crew.task("emergency_stop", why="rubbish"))
        assert crew.service.begun == []
