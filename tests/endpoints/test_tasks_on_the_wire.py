"""Tasks over real sockets, as wire/aip.md 4, 5 and 7 have them, with plain peers."""

import pytest
import trio

from aip_trio.endpoints import Limits, Session
from aip_trio.errors import DeviceNotConnected
from tests.endpoints.peer import Frame, Peer, device, orchestrator
from tests.endpoints.support import action, serving, until


async def nothing_more(*peers: Peer) -> None:
    """What has been said so far was all."""
    for each in peers:
        await each.heartbeat()


@pytest.mark.trio
async def test_a_constellation_asks_a_device_does_it_in_turns_and_both_hear_of_the_end() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "look", "touch")
        turns = [await client.command("s1")]
        (look,) = turns[0]["actions"]
        assert (look["tool_name"], look["tool_type"]) == ("look", "action")
        await client.answer(turns[0], {"status": "success", "result": {"seen": 3}, "namespace": "eyes"})
        turns.append(await client.command("s1"))
        await client.answer(turns[1], {"status": "none"})
        end, told = await orch.end("s1"), await client.end("s1")
        assert (end["status"], told["status"]) == ("completed", "completed")
        assert end["task_name"] == "a task"
        assert [result["tool_name"] for result in end["result"]] == ["look", "touch"]
        assert end["result"][0]["result"] == {"seen": 3}
        assert end["result"][0]["namespace"] == "eyes"
        assert end["response_id"]
        assert turns[0]["response_id"] != turns[1]["response_id"]
        assert turns[0]["actions"][0]["call_id"] != turns[1]["actions"][0]["call_id"]
        await nothing_more(orch, client)


@pytest.mark.trio
async def test_the_server_makes_a_session_id_where_there_is_none() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        for _ in range(2):
            await orch.ask(None, "dev-1", "look")
        first, second = await client.command(), await client.command()
        assert first["session_id"] != second["session_id"]
        for command in (second, first):
            await client.answer(command, "seen")
            assert (await orch.end(command["session_id"]))["status"] == "completed"


@pytest.mark.trio
async def test_a_device_asks_for_a_task_for_itself_and_hears_of_its_end_once() -> None:
    async with serving() as server, device(server.url) as client:
        commands = {"commands": [{"tool_name": "look"}]}
        await client.send("task", "continue", session_id="s1", request="x", metadata=commands)
        await client.answer(await client.command("s1"), "seen")
        assert (await client.end("s1"))["status"] == "completed"
        await nothing_more(client)


@pytest.mark.trio
async def test_a_device_asks_for_what_it_was_offered() -> None:
    async def greet(session: Session) -> str:
        (result,) = await session.execute(action("say", text=session.request))
        return f"{session.task_name}: {result.result}"

    async with serving(task=greet) as server, device(server.url) as client:
        await server.offer_task("dev-1", "say hello", "greeting")
        offer = await client.receive("task")
        assert (offer["user_request"], offer["task_name"]) == ("say hello", "greeting")
        request = {"request": offer["user_request"], "task_name": offer["task_name"], "session_id": "s1"}
        await client.send("task", "continue", **request)
        command = await client.command("s1")
        assert command["actions"][0]["parameters"] == {"text": "say hello"}
        await client.answer(command, "done")
        assert (await client.end("s1"))["result"] == "greeting: done"
        with pytest.raises(DeviceNotConnected):
            await server.offer_task("dev-2", "say hello")


@pytest.mark.trio
async def test_a_task_for_a_device_that_is_not_there_ends_at_once() -> None:
    async with serving() as server, orchestrator(server.url, target=None) as orch:
        await orch.ask("s1", "dev-9", "look")
        end = await orch.end("s1")
        assert end["status"] == "failed"
        assert "'dev-9' is not connected" in end["error"]
        await orch.ask("s2", None, "look")
        assert "target_id" in (await orch.end("s2"))["error"]
        await orch.ask("s3", "orch", "look")  # no device
        assert "'orch' is not connected" in (await orch.end("s3"))["error"]


@pytest.mark.trio
async def test_a_session_id_names_one_running_task() -> None:
    async with (
        serving() as server,
        device(server.url) as client,
        orchestrator(server.url) as one,
        orchestrator(server.url, "orch-2") as two,
    ):
        await one.ask("s1", "dev-1", "look")
        command = await client.command("s1")
        for each in (one, two):
            await each.ask("s1", "dev-1", "look")
            end = await each.end("s1")
            assert end["status"] == "failed"
            assert "session_id" in end["error"]
        await client.answer(command, "seen")
        assert (await one.end("s1"))["status"] == "completed"
        await client.end("s1")
        # Once it has ended, the id is free: an orchestrator may ask again.
        await two.ask("s1", "dev-1", "look")
        await client.answer(await client.command("s1"), "seen again")
        assert (await two.end("s1"))["result"][0]["result"] == "seen again"


@pytest.mark.trio
async def test_two_tasks_of_one_device_run_side_by_side_each_in_its_order() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "a", "b")
        await orch.ask("s2", "dev-1", "c")
        one, two = await client.command("s1"), await client.command("s2")
        await client.answer(two, 2)
        assert (await orch.end("s2"))["status"] == "completed"
        await client.end("s2")
        await client.answer(one, 1)
        await client.answer(await client.command("s1"), 1)
        assert [r["tool_name"] for r in (await orch.end("s1"))["result"]] == ["a", "b"]


@pytest.mark.trio
async def test_a_batch_goes_out_as_one_message_and_comes_back_in_order() -> None:
    async def batch(session: Session) -> list[object]:
        return [each.result for each in await session.execute([action("a"), action("b"), action("c")])]

    async with serving(task=batch) as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1")
        command = await client.command("s1")
        assert [each["tool_name"] for each in command["actions"]] == ["a", "b", "c"]
        await client.answer(command, 1, 2, 3)
        assert (await orch.end("s1"))["result"] == [1, 2, 3]


@pytest.mark.trio
async def test_results_for_another_turn_are_refused_and_the_right_ones_still_count() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "look", "touch")
        first = await client.command("s1")
        for wrong in ("nonsense", None):
            await client.answer(first, "wrong", prev_response_id=wrong)
            assert "prev_response_id" in await client.refused()
        await client.answer(first, "seen")
        second = await client.command("s1")
        await client.answer(first, "seen once more")
        assert "prev_response_id" in await client.refused()
        await client.answer(second, "touched")
        assert [r["result"] for r in (await orch.end("s1"))["result"]] == ["seen", "touched"]


@pytest.mark.trio
@pytest.mark.parametrize("results", [[], [{"status": "success"}, {"status": "success"}]], ids=["none", "two"])
async def test_a_wrong_number_of_results_fails_the_task_with_the_reason(results: list[object]) -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "look")
        command = await client.command("s1")
        answer = {"session_id": "s1", "prev_response_id": command["response_id"]}
        await client.send("command_results", "continue", action_results=results, **answer)
        assert f"{len(results)} results for 1" in await client.refused()
        end = await orch.end("s1")
        assert end["status"] == "failed"
        assert f"{len(results)} results for 1" in end["error"]
        assert (await client.end("s1"))["status"] == "failed"
        await nothing_more(orch, client)


@pytest.mark.trio
async def test_results_nobody_waits_for_are_refused() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        lost: Frame = {"session_id": "s9", "prev_response_id": "r", "action_results": []}
        await client.send("command_results", "continue", **lost)
        assert "'s9'" in await client.refused()
        await orch.ask("s1", "dev-1", "look")
        command = await client.command("s1")
        await client.answer(command, "seen")
        await client.end("s1")
        await client.answer(command, "seen")
        assert "'s1'" in await client.refused()
        await orch.end("s1")
        await nothing_more(orch, client)


@pytest.mark.trio
@pytest.mark.parametrize(
    ("said", "status", "error"),
    [
        ({"status": "failed", "error": "no arms"}, "failed", "no arms"),
        ({"status": "error"}, "failed", "ended by the device"),
        ({"status": "completed"}, "completed", None),
        ({"status": "ok"}, "completed", None),
    ],
)
async def test_a_device_ends_its_task(said: dict[str, str], status: str, error: str | None) -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "look")
        await client.command("s1")
        await client.send("task_end", session_id="s1", **said)
        end = await orch.end("s1")
        assert (end["status"], end.get("error")) == (status, error)
        assert (await client.end("s1"))["status"] == status
        await client.send("task_end", "completed", session_id="s1")  # an acknowledgement
        await nothing_more(orch, client)


@pytest.mark.trio
async def test_a_device_that_says_the_task_goes_on_has_not_ended_it() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "look")
        command = await client.command("s1")
        await client.send("task_end", "continue", session_id="s1")
        assert "status" in await client.refused()
        await client.answer(command, "seen")
        assert (await orch.end("s1"))["status"] == "completed"


@pytest.mark.trio
@pytest.mark.parametrize("orderly", [True, False])
async def test_a_device_that_goes_ends_its_tasks_each_once(orderly: bool) -> None:
    async with (
        serving() as server,
        orchestrator(server.url, target=None) as one,
        orchestrator(server.url, "orch-2", target=None) as two,
        device(server.url, "dev-2") as other,
    ):
        async with device(server.url) as client:
            await one.ask("s1", "dev-1", "look")
            await one.ask("s2", "dev-1", "look")
            await two.ask("s3", "dev-1", "look")
            await two.ask("s4", "dev-2", "look")
            for _ in range(3):
                await client.command()
            assert sorted(server.sessions_of("dev-1")) == ["s1", "s2", "s3"]
            assert sorted(server.sessions_of("orch-2")) == ["s3", "s4"]
            if not orderly:
                await client.cut()
        ends = [await one.end(), await one.end(), await two.end()]
        assert sorted(end["session_id"] for end in ends) == ["s1", "s2", "s3"]
        assert {(end["status"], end["error"]) for end in ends} == {("failed", "device_disconnected")}
        assert server.sessions_of("dev-1") == []
        await other.answer(await other.command("s4"), "seen")
        assert (await two.end("s4"))["status"] == "completed"
        await nothing_more(one, two)


@pytest.mark.trio
@pytest.mark.parametrize("orderly", [True, False])
async def test_a_constellation_that_goes_cancels_its_tasks_and_the_device_hears_of_it(orderly: bool) -> None:
    cancelled: list[str] = []

    async def look(session: Session) -> None:
        try:
            await session.execute(action("look"))
        except trio.Cancelled:
            cancelled.append(session.id)
            raise

    async with serving(task=look) as server, device(server.url) as client:
        async with orchestrator(server.url) as orch:
            await orch.ask("s1", "dev-1")
            command = await client.command("s1")
            if not orderly:
                await orch.cut()
        end = await client.end("s1")
        assert (end["status"], end["error"]) == ("failed", "constellation_disconnected")
        assert cancelled == ["s1"]
        await client.answer(command, "late")
        assert "'s1'" in await client.refused()
        await nothing_more(client)


@pytest.mark.trio
async def test_no_session_outlives_both_its_ends() -> None:
    async with serving() as server:
        async with device(server.url) as client, orchestrator(server.url) as orch:
            await orch.ask("s1", "dev-1", "look")
            await client.command("s1")
            await client.cut()
            await orch.cut()
        tasks = "/server/tasks/"
        await until(lambda: not any(node.path.startswith(tasks) for node in server.system.tree().walk()))
        await until(lambda: not server.is_connected())
        assert server.sessions_of("dev-1") == []


@pytest.mark.trio
async def test_a_client_may_have_so_many_tasks_and_no_more() -> None:
    async with (
        serving(limits=Limits(tasks_per_client=2)) as server,
        device(server.url) as client,
        orchestrator(server.url) as one,
        orchestrator(server.url, "orch-2") as two,
    ):
        await one.ask("s1", "dev-1", "look")
        await one.ask("s2", "dev-1", "look")
        await one.ask("s3", "dev-1", "look")
        refused = await one.end("s3")
        assert refused["status"] == "failed"
        assert "2 tasks" in refused["error"]
        await two.ask("s4", "dev-1", "look")  # another's tasks are not counted
        commands = [await client.command() for _ in range(3)]
        assert [command["session_id"] for command in commands] == ["s1", "s2", "s4"]
        await client.answer(commands[0], "seen")
        await one.end("s1")
        await one.ask("s3", "dev-1", "look")
        await client.end("s1")
        await client.command("s3")


@pytest.mark.trio
async def test_tasks_of_a_device_are_cancelled_by_hand() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "look")
        await client.command("s1")
        await server.cancel_device_tasks("dev-1", "maintenance")
        for each in (orch, client):
            end = await each.end("s1")
            assert (end["status"], end["error"]) == ("failed", "maintenance")
        await server.cancel_device_tasks("dev-1", "maintenance")
        await server.cancel_device_tasks("dev-9", "maintenance")
        await nothing_more(orch, client)
