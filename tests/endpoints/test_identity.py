"""Identity is bound to the connection, as wire/aip.md 2 has it; and frames that make no sense harm nobody."""

import json

import pytest
import trio

from aip_trio.endpoints import Limits, Session
from tests.endpoints.peer import device, orchestrator
from tests.endpoints.support import action, serving


@pytest.mark.trio
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"client_id": "dev-2"}, "client_id"),
        ({"client_id": "orch"}, "client_id"),
        ({"client_type": "constellation"}, "client_type"),
        ({"target_id": "dev-2"}, "target_id"),
    ],
)
@pytest.mark.parametrize("kind", ["heartbeat", "task", "device_info_response", "error"])
async def test_a_device_may_speak_for_itself_alone(kind: str, fields: dict[str, str], reason: str) -> None:
    async with serving() as server, device(server.url) as one, device(server.url, "dev-2") as two:
        await one.send(kind, request="x", **fields)
        assert reason in await one.refused()
        await one.heartbeat(client_id="dev-1", client_type="device", target_id="dev-1")
        await two.heartbeat()


@pytest.mark.trio
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"client_id": "dev-1", "client_type": "constellation"}, "client_id"),
        ({"client_type": "device"}, "client_type"),
        ({"client_type": "constellation", "target_id": "dev-2"}, "target_id"),
    ],
)
@pytest.mark.parametrize("kind", ["task", "device_info_request"])
async def test_a_constellation_addresses_the_device_that_it_registered_for(
    kind: str, fields: dict[str, str], reason: str
) -> None:
    async with (
        serving() as server,
        device(server.url) as one,
        device(server.url, "dev-2") as two,
        orchestrator(server.url) as orch,
    ):
        await orch.send(kind, request="x", request_id="1", **fields)
        assert reason in await orch.refused()
        await orch.heartbeat()
        for each in (one, two):
            await each.heartbeat()  # and neither was asked for anything


@pytest.mark.trio
async def test_a_constellation_that_named_no_device_may_address_each() -> None:
    async with (
        serving() as server,
        device(server.url) as one,
        device(server.url, "dev-2") as two,
        orchestrator(server.url, target=None) as orch,
    ):
        for session_id, target, client in (("s1", "dev-1", one), ("s2", "dev-2", two)):
            await orch.ask(session_id, target, "look")
            await client.answer(await client.command(session_id), "seen")
            assert (await orch.end(session_id))["status"] == "completed"


@pytest.mark.trio
async def test_results_count_from_the_device_of_the_task_alone() -> None:
    async with (
        serving() as server,
        device(server.url) as one,
        device(server.url, "dev-2") as two,
        orchestrator(server.url) as orch,
    ):
        await orch.ask("s1", "dev-1", "look")
        command = await one.command("s1")
        await two.answer(command, "forged")
        assert "'s1'" in await two.refused()
        await orch.answer(command, "forged", client_type="constellation")
        assert "command_results" in await orch.refused()
        await one.answer(command, "seen")
        end = await orch.end("s1")
        assert end["result"][0]["result"] == "seen"
        await one.end("s1")
        await two.heartbeat()


@pytest.mark.trio
async def test_the_end_of_a_task_counts_from_its_device_alone() -> None:
    async with (
        serving() as server,
        device(server.url) as one,
        device(server.url, "dev-2") as two,
        orchestrator(server.url) as orch,
    ):
        await orch.ask("s1", "dev-1", "look")
        command = await one.command("s1")
        await two.send("task_end", "failed", session_id="s1")
        await two.heartbeat()
        await orch.send("task_end", "failed", session_id="s1", client_type="constellation")
        assert "task_end" in await orch.refused()
        await one.answer(command, "seen")
        assert (await orch.end("s1"))["status"] == "completed"
        # Once it has ended, a task_end acknowledges it.
        await orch.send("task_end", "completed", session_id="s1", client_type="constellation")
        await orch.heartbeat()


@pytest.mark.trio
async def test_a_constellation_does_not_tell_about_devices() -> None:
    async with serving() as server, device(server.url), orchestrator(server.url) as orch:
        await orch.send("device_info_response", client_type="constellation", metadata={"os": "forged"})
        assert "device_info_response" in await orch.refused()
        await orch.heartbeat()


@pytest.mark.trio
async def test_a_frame_without_a_client_type_is_its_senders() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        look = {"commands": [{"tool_name": "look"}]}
        await orch.send("task", "continue", session_id="s1", request="x", metadata=look)
        await client.answer(await client.command("s1"), "seen")
        assert (await orch.end("s1"))["status"] == "completed"


BAD_FRAMES: list[tuple[str | bytes, str]] = [
    ("", "JSON"),
    ("{", "JSON"),
    ("nonsense", "JSON"),
    (b"\xff\x00\xfe", "JSON"),
    ("[]", "ClientMessage"),
    ("null", "ClientMessage"),
    (json.dumps({"type": "heartbeat"}), "status"),
    (json.dumps({"type": "dance", "status": "ok"}), "type"),
    (json.dumps({"type": "heartbeat", "status": "ok", "metadata": 5}), "metadata"),
    (json.dumps({"type": "command_results", "status": "ok"}), "session_id"),
    (json.dumps({"type": "command_results", "status": "ok", "session_id": "s"}), "action_results"),
    (json.dumps({"type": "task_end", "status": "ok"}), "session_id"),
    (
        json.dumps(
            {"type": "command_results", "status": "ok", "session_id": "s", "action_results": [{"status": 1}]}
        ),
        "action_results[0].status",
    ),
    ('{"type": "heartbeat", "status": "ok", "metadata": ' + '{"a":' * 20_000 + "1" + "}" * 20_001, ""),
]


@pytest.mark.trio
async def test_frames_that_make_no_sense_are_errors_that_say_why_and_the_connection_lives_on() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "look")
        command = await client.command("s1")
        for frame, reason in BAD_FRAMES:
            await client.wire.send(frame)
            told = await client.refused()
            assert reason in told, (frame, told)
            assert len(told) < 2000
            await client.heartbeat()
        await client.answer(command, "seen")
        assert (await orch.end("s1"))["status"] == "completed"


@pytest.mark.trio
async def test_an_oversized_frame_closes_its_own_connection_and_ends_its_tasks_alone() -> None:
    async def one_look(session: Session) -> str:
        (result,) = await session.execute(action("look"))
        return str(result.result)

    async with (
        serving(task=one_look, limits=Limits(message_size=5000)) as server,
        device(server.url) as big,
        device(server.url, "dev-2") as small,
        orchestrator(server.url, target=None) as orch,
    ):
        await orch.ask("s1", "dev-1")
        await orch.ask("s2", "dev-2")
        command = await small.command("s2")
        await big.answer(await big.command("s1"), "x" * 6000)
        assert await big.closed() == 1009
        end = await orch.end("s1")
        assert (end["status"], end["error"]) == ("failed", "device_disconnected")
        await small.answer(command, "seen")
        assert (await orch.end("s2"))["result"] == "seen"


@pytest.mark.trio
async def test_an_error_from_a_client_is_heard_and_answered_with_nothing() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        await client.send("error", "error", error="my arm fell off")
        await client.heartbeat()
        await orch.send("error", "error", error="my head fell off", client_type="constellation")
        await orch.heartbeat()
        with trio.move_on_after(0):
            raise AssertionError(await client.receive())
