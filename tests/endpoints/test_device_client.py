"""DeviceClientEndpoint against a plain server, over real sockets: what it does with what comes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import trio

from aip_trio.endpoints import ClientState, DeviceClientEndpoint
from aip_trio.messages import (
    Result,
    ResultStatus,
    ServerMessage,
)
from tests.endpoints.device_end import commands, connected, state
from tests.endpoints.peer import PlainServer
from tests.endpoints.support import Worker, patient, until


@pytest.mark.trio
async def test_it_registers_with_its_first_frame_and_says_what_it_is() -> None:
    class Told(Worker):
        def system_info(self) -> Mapping[str, object]:
            return {"os": "linux"}

    async with patient(), PlainServer.open() as plain:
        endpoint = DeviceClientEndpoint(plain.url, Told(), metadata={"room": 7}, token="s3cret")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            server = await plain.accept()
            register = await server.receive("register")
            assert (register["client_id"], register["client_type"]) == ("dev-1", "device")
            assert "target_id" not in register
            metadata = register["metadata"]
            assert (metadata["room"], metadata["platform"]) == (7, "linux")
            assert metadata["system_info"] == {"os": "linux"}
            assert state(endpoint) is ClientState.CONNECTING
            assert not endpoint.is_connected()
            await server.send("heartbeat", response_id="welcome")
        assert endpoint.is_connected()
        await endpoint.stop()
        assert await server.closed() == 1000
        assert state(endpoint) is ClientState.STOPPED


@pytest.mark.trio
async def test_commands_are_done_in_order_and_answered_each_with_its_result() -> None:
    worker = Worker()
    async with connected(worker) as (_, server, _):
        await server.send("command", "continue", **commands("s1", "a", "b", response_id="r1"))
        await server.send("command", "continue", **commands("s2", "c", response_id="r2"))
        first, second = await server.receive("command_results"), await server.receive("command_results")
        assert (first["session_id"], first["prev_response_id"]) == ("s1", "r1")
        assert (second["session_id"], second["prev_response_id"]) == ("s2", "r2")
        assert first["client_id"] == "dev-1"
        assert [r["call_id"] for r in first["action_results"]] == ["a", "b"]
        assert [r["result"]["tool"] for r in first["action_results"]] == ["a", "b"]
        assert worker.begun == [("s1", "a"), ("s1", "b"), ("s2", "c")]
        assert worker.session_id == "s2"
        assert worker.resets == 1


@pytest.mark.trio
async def test_a_task_that_has_ended_is_dropped_and_what_runs_of_it_is_cancelled() -> None:
    worker = Worker()
    worker.hold()
    async with connected(worker) as (_, server, _):
        await server.send("command", "continue", **commands("s1", "a", "b"))
        await server.send("command", "continue", **commands("s1", "c"))
        await server.send("command", "continue", **commands("s2", "d", response_id="r2"))
        await until(lambda: worker.begun)
        await server.send("task_end", "failed", session_id="s1", error="enough")
        await until(lambda: worker.cancelled == ["s1"])
        worker.gate.set()
        results = await server.receive("command_results")
        assert (results["session_id"], results["prev_response_id"]) == ("s2", "r2")
        assert worker.begun == [("s1", "a"), ("s2", "d")]


class Awkward(Worker):
    """Returns what it is told to, or raises it."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    async def execute_step(self, server_message: ServerMessage) -> Sequence[Result]:
        await trio.lowlevel.checkpoint()
        if server_message.session_id == "well":
            return await super().execute_step(server_message)
        if isinstance(self.answer, BaseException):
            raise self.answer
        answer: Any = self.answer
        return answer  # type: ignore[no-any-return]


@pytest.mark.trio
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ValueError("out of paper"), "ValueError: out of paper"),
        (ExceptionGroup("several", [ValueError("a"), OSError("b")]), "several"),
        ([], "0 results of 2"),
        ([Result(status=ResultStatus.SUCCESS)] * 3, "3 results of 2"),
        (None, "results"),
        (7, "results"),
        ("ab", "results"),
        ([{"status": "success"}, {"status": "success"}], "results"),
        ([Result(status=ResultStatus.SUCCESS, result=object(), call_id=each) for each in "ab"], "object"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_whatever_its_worker_does_each_command_has_a_result(answer: object, reason: str) -> None:
    async with connected(Awkward(answer)) as (_, server, _):
        for number in range(3):
            await server.send("command", "continue", **commands("badly", "a", "b", response_id=str(number)))
            results = await server.receive("command_results")
            assert results["prev_response_id"] == str(number)
            assert [r["call_id"] for r in results["action_results"]] == ["a", "b"]
            for each in results["action_results"]:
                assert each["status"] == "failure"
                assert reason in each["error"]
        await server.send("command", "continue", **commands("well", "c"))
        (result,) = (await server.receive("command_results"))["action_results"]
        assert result["status"] == "success"


@pytest.mark.trio
async def test_of_several_results_those_that_cannot_be_sent_fail_alone() -> None:
    values = [1, {"handle": object()}, 3]
    answer = [Result(status=ResultStatus.SUCCESS, result=value, call_id=str(value)) for value in values]
    async with connected(Awkward(answer)) as (_, server, _):
        await server.send("command", "continue", **commands("badly", "a", "b", "c"))
        results = (await server.receive("command_results"))["action_results"]
        assert [each["status"] for each in results] == ["success", "failure", "success"]
        assert [each.get("result") for each in results] == [1, None, 3]
        assert "cannot be sent" in results[1]["error"]


@pytest.mark.trio
async def test_a_worker_that_cannot_be_reset_fails_its_commands_alone() -> None:
    class Stubborn(Worker):
        def reset(self) -> None:
            raise RuntimeError("no way back")

    async with connected(Stubborn()) as (_, server, _):
        await server.send("command", "continue", **commands("s1", "a"))
        assert (await server.receive("command_results"))["action_results"][0]["status"] == "success"
        for number in range(5):  # more often than a crash would be forgiven
            await server.send("command", "continue", **commands("s2", "a", response_id=str(number)))
            results = await server.receive("command_results")
            assert results["prev_response_id"] == str(number)
            assert "no way back" in results["action_results"][0]["error"]


@pytest.mark.trio
async def test_too_many_commands_at_once_are_answered_as_busy() -> None:
    worker = Worker()
    worker.hold()
    async with connected(worker) as (_, server, _):
        await server.send("command", "continue", **commands("s1", "a", response_id="in hand"))
        await until(lambda: worker.begun)
        for number in range(257):
            await server.send("command", "continue", **commands("s1", "a", response_id=str(number)))
        busy = await server.receive("command_results")
        assert busy["prev_response_id"] == "256"
        assert "busy" in busy["action_results"][0]["error"]
        worker.gate.set()
        for _ in range(257):
            assert (await server.receive("command_results"))["action_results"][0]["status"] == "success"


@pytest.mark.trio
async def test_it_asks_for_a_task_that_it_is_offered() -> None:
    async with connected() as (_, server, _):
        await server.send("task", "continue", user_request="tidy up", task_name="t", session_id="s1")
        ask = await server.receive("task")
        assert (ask["request"], ask["task_name"], ask["session_id"]) == ("tidy up", "t", "s1")
        assert (ask["client_id"], ask["client_type"]) == ("dev-1", "device")


@pytest.mark.trio
async def test_it_tells_of_itself_when_it_is_asked_and_unasked() -> None:
    class Told(Worker):
        broken = False

        def system_info(self) -> Mapping[str, object]:
            if self.broken:
                raise OSError("no eyes")
            return {"load": 0.5}

    worker = Told()
    async with connected(worker) as (endpoint, server, _):
        await server.send("device_info_request", response_id="q1")
        report = await server.receive("device_info_response")
        assert (report["request_id"], report["metadata"]) == ("q1", {"load": 0.5})
        await endpoint.push_device_info()
        push = await server.receive("device_info_response")
        assert push["metadata"] == {"load": 0.5}
        assert "request_id" not in push
        worker.broken = True
        await server.send("device_info_request", response_id="q2")
        report = await server.receive("device_info_response")
        assert (report["request_id"], report["status"]) == ("q2", "error")
        assert "no eyes" in report["error"]
        assert "metadata" not in report
        with pytest.raises(OSError, match="no eyes"):
            await endpoint.push_device_info()


@pytest.mark.trio
async def test_what_makes_no_sense_is_answered_with_an_error_and_the_connection_lives_on() -> None:
    async with connected() as (_, server, _):
        for frame, reason in (
            ("{", "JSON"),
            (b"\xff\xfe", "JSON"),
            (json.dumps({"type": "dance", "status": "ok"}), "type"),
            (json.dumps({"type": "command", "status": "continue", "session_id": "s"}), "actions"),
            (json.dumps({"type": "task_end", "status": "ok"}), "session_id"),
        ):
            await server.wire.send(frame)
            error = await server.receive("error")
            assert error["status"] == "error"
            assert reason in error["error"]
        # What is for others, or mere talk, is no fault.
        await server.send("device_info_response", response_id="?", result={})
        await server.send("error", "error", error="you there")
        await server.send("heartbeat", response_id="?")
        await server.send("command", "continue", **commands("s1", "a"))
        await server.receive("command_results")


@pytest.mark.trio
async def test_an_error_does_not_go_back_and_forth() -> None:
    async with connected() as (_, server, _):
        await server.wire.send("{")
        await server.receive("error")
        await server.send("error", "error", error="what do you mean?")
        await server.send("device_info_request", response_id="q1")
        await server.receive("device_info_response")  # and no other error before it
