"""What a server's task function may do, and what becomes of it."""

import logging

import pytest
import trio

from aip_trio.endpoints import Session, TaskFunction, run_listed_commands
from aip_trio.errors import EncodeError, TaskFailed
from aip_trio.messages import ResultStatus
from tests.endpoints.peer import Frame, device, orchestrator
from tests.endpoints.support import action, serving


@pytest.mark.trio
async def test_it_sees_the_request_and_the_device() -> None:
    seen: list[Session] = []

    async def look(session: Session) -> dict[str, object]:
        seen.append(session)
        return {"deep": [None, 1.5, "é", True]}

    async with serving(task=look) as server:
        async with device(server.url, metadata={"platform": "linux"}), orchestrator(server.url) as orch:
            await orch.ask("s1", "dev-1", request="look around", task_name="t", metadata={"n": [1]})
            assert (await orch.end("s1"))["result"] == {"deep": [None, 1.5, "é", True]}
    (session,) = seen
    assert (session.id, session.request, session.task_name) == ("s1", "look around", "t")
    assert (session.device_id, session.metadata) == ("dev-1", {"n": [1]})
    assert session.device_metadata == {"platform": "linux"}


async def raises(session: Session) -> None:
    raise ValueError("out of paper")


async def fails(session: Session) -> None:
    raise TaskFailed("half of it is done", {"done": 1})


async def fails_badly(session: Session) -> None:
    raise TaskFailed("not even that", object())


async def returns_nonsense(session: Session) -> object:
    return {"handle": object()}


async def groups(session: Session) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(raises, session)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("function", "error", "result"),
    [
        (raises, "ValueError: out of paper", None),
        (fails, "half of it is done", {"done": 1}),
        (fails_badly, "object", None),
        (returns_nonsense, "object", None),
        (groups, "ExceptionGroup", None),
    ],
)
async def test_its_failure_is_the_tasks_and_nobody_elses(
    function: TaskFunction, error: str, result: object
) -> None:
    async with (
        serving(task=function) as server,
        device(server.url) as client,
        orchestrator(server.url) as orch,
    ):
        for session_id in ("s1", "s2"):
            await orch.ask(session_id, "dev-1")
            for each in (orch, client):
                end = await each.end(session_id)
                assert end["status"] == "failed"
                assert error in end["error"]
                assert end.get("result") == result
        for each in (orch, client):
            await each.heartbeat()


@pytest.mark.trio
async def test_commands_that_cannot_be_sent_are_its_own_mistake_and_the_next_ones_go() -> None:
    async def clumsy(session: Session) -> str:
        with pytest.raises(EncodeError, match="parameters"):
            await session.execute(action("look", handle=object()))
        (result,) = await session.execute(action("look"))
        return str(result.result)

    async with serving(task=clumsy) as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1")
        await client.answer(await client.command("s1"), "seen")
        assert (await orch.end("s1"))["result"] == "seen"


@pytest.mark.trio
async def test_commands_of_several_tasks_of_its_own_go_one_after_another() -> None:
    async def both(session: Session) -> list[object]:
        results: dict[str, object] = {}

        async def run(tool: str) -> None:
            (result,) = await session.execute(action(tool))
            results[tool] = result.result

        async with trio.open_nursery() as nursery:
            for tool in "abc":
                nursery.start_soon(run, tool)
        return [results[tool] for tool in "abc"]

    async with serving(task=both) as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1")
        for _ in range(3):
            command = await client.command("s1")
            await client.heartbeat()  # no other command came meanwhile
            await client.answer(command, command["actions"][0]["tool_name"].upper())
        assert (await orch.end("s1"))["result"] == ["A", "B", "C"]


@pytest.mark.trio
async def test_it_may_give_up_waiting_and_its_late_results_are_nobodys() -> None:
    async def impatient(session: Session) -> str:
        with trio.move_on_after(0.05):
            await session.execute(action("slow"))
        return "done without"

    async with (
        serving(task=impatient) as server,
        device(server.url) as client,
        orchestrator(server.url) as orch,
    ):
        await orch.ask("s1", "dev-1")
        command = await client.command("s1")
        assert (await orch.end("s1"))["result"] == "done without"
        await client.end("s1")
        await client.answer(command, "late")
        await client.refused()


@pytest.mark.trio
async def test_what_it_gave_up_waiting_for_is_waited_for_before_the_next_commands() -> None:
    given_up = trio.Event()

    async def impatient(session: Session) -> str:
        with trio.move_on_after(0.05):
            await session.execute(action("slow"))
        given_up.set()
        (result,) = await session.execute(action("next"))
        return str(result.result)

    async with (
        serving(task=impatient) as server,
        device(server.url) as client,
        orchestrator(server.url) as orch,
    ):
        await orch.ask("s1", "dev-1")
        slow = await client.command("s1")
        await given_up.wait()
        await client.heartbeat()
        await client.answer(slow, "late")
        await client.answer(await client.command("s1"), "right")
        assert (await orch.end("s1"))["result"] == "right"


@pytest.mark.trio
async def test_a_wrong_number_of_results_is_not_given_to_it() -> None:
    seen: list[object] = []

    async def look(session: Session) -> None:
        seen.append(await session.execute(action("look")))

    async with serving(task=look) as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1")
        command = await client.command("s1")
        wrong: Frame = {"session_id": "s1", "prev_response_id": command["response_id"], "action_results": []}
        await client.send("command_results", "continue", **wrong)
        assert (await orch.end("s1"))["status"] == "failed"
    assert seen == []


@pytest.mark.trio
@pytest.mark.parametrize("how", ["device", "orchestrator", "server"])
async def test_it_is_cancelled_when_its_task_ends_and_its_cleanup_runs(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[str] = []

    async def hangs(session: Session) -> None:
        try:
            await session.execute(action("look"))
        finally:
            ended.append(session.id)

    async with serving(task=hangs) as server:
        async with device(server.url) as client, orchestrator(server.url) as orch:
            await orch.ask("s1", "dev-1")
            await client.command("s1")
            with caplog.at_level(logging.WARNING):
                if how == "device":
                    await client.send("task_end", "failed", session_id="s1")
                    await orch.end("s1")
                elif how == "orchestrator":
                    await orch.cut()
                    await client.end("s1")
                else:
                    await server.stop()
                    await orch.end("s1")
            assert ended == ["s1"]
    assert "its function failed" not in caplog.text


@pytest.mark.trio
async def test_what_it_logs_is_said_at_the_end_and_as_it_comes_to_who_wants_to_know() -> None:
    gate, end = trio.Event(), trio.Event()

    async def chatty(session: Session) -> str:
        session.log("one")
        await gate.wait()
        session.log("two")
        await end.wait()
        session.log("three")
        return "done"

    async with (
        serving(task=chatty) as server,
        device(server.url) as client,
        orchestrator(server.url, "plain") as plain,
        orchestrator(server.url, "curious", metadata={"progress": True}) as curious,
    ):
        await plain.ask("s1", "dev-1")
        await curious.ask("s2", "dev-1", task_name="t")
        progress = await curious.receive("task")
        assert (progress["messages"], progress["session_id"], progress["task_name"]) == (["one"], "s2", "t")
        gate.set()
        assert (await curious.receive("task"))["messages"] == ["two"]
        end.set()
        assert (await plain.end("s1"))["messages"] == ["one", "two", "three"]
        while (frame := await curious.receive())["type"] != "task_end":
            assert frame["messages"] == ["three"]
        assert frame["messages"] == ["one", "two", "three"]
        for _ in range(2):
            assert (await client.end())["messages"] == ["one", "two", "three"]


@pytest.mark.trio
async def test_a_log_has_room_for_a_thousand_lines() -> None:
    async def endless(session: Session) -> None:
        for number in range(3000):
            session.log(str(number))

    async with (
        serving(task=endless) as server,
        device(server.url),
        orchestrator(server.url, metadata={"progress": True}) as orch,
    ):
        await orch.ask("s1", "dev-1")
        lines: list[str] = []
        while (frame := await orch.receive())["type"] == "task":
            lines += frame["messages"]
        assert frame["type"] == "task_end"
        assert frame["messages"] == [str(number) for number in range(1000)]
        assert lines == frame["messages"][: len(lines)]


BAD_COMMANDS: list[tuple[Frame, str]] = [
    ({}, "metadata.commands"),
    ({"commands": []}, "metadata.commands"),
    ({"commands": "look"}, "metadata.commands"),
    ({"commands": ["look"]}, "metadata.commands[0]"),
    ({"commands": [{"tool_name": "look"}, {"parameters": {}}]}, "metadata.commands[1]"),
    ({"commands": [{"tool_name": "look", "parameters": 5}]}, "parameters"),
    ({"commands": [{"tool_name": "look", "tool_type": "magic"}]}, "tool_type"),
]


@pytest.mark.trio
@pytest.mark.parametrize(("metadata", "reason"), BAD_COMMANDS)
async def test_the_built_in_one_names_what_is_wrong_with_its_commands(metadata: Frame, reason: str) -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", metadata=metadata)
        end = await orch.end("s1")
        assert end["status"] == "failed"
        assert reason in end["error"]
        await client.end("s1")  # and the device was asked for nothing
        await client.heartbeat()


@pytest.mark.trio
async def test_the_built_in_one_runs_all_commands_and_fails_where_one_did() -> None:
    async with (
        serving(task=run_listed_commands) as server,
        device(server.url) as client,
        orchestrator(server.url) as orch,
    ):
        await orch.ask("s1", "dev-1", "a", "b", "c")
        for result in (
            {"status": "failure", "error": "no"},
            {"status": "skipped"},
            {"status": "success", "result": 3},
        ):
            await client.answer(await client.command("s1"), result)
        end = await orch.end("s1")
        assert (end["status"], end["error"]) == ("failed", "1 of 3 commands failed")
        told = [(r["tool_name"], ResultStatus(r["status"]).value) for r in end["result"]]
        assert told == [("a", "failure"), ("b", "skipped"), ("c", "success")]
        assert end["result"][0]["error"] == "no"
        assert end["result"][2]["result"] == 3
        assert end["messages"] == ["1 of 3: a: failure", "2 of 3: b: skipped", "3 of 3: c: success"]
