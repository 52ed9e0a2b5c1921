"""Attacks on the identity of others (wire/aip.md, 2), each over a real socket; the plain breaches of the
rules are in tests/endpoints/test_identity.py.
"""

from typing import Any

import pytest
import trio

from aip_trio.endpoints import Limits, Session
from aip_trio.protocol import LONGEST_ID
from tests.endpoints.peer import device, orchestrator, peer
from tests.endpoints.support import action, serving
from tests.security.attacker import attacker, frame, head, intruder, message

pytestmark = pytest.mark.trio


async def two_looks(session: Session) -> list[object]:
    return [(await session.execute(action("look")))[0].result for _ in range(2)]


async def test_results_for_another_devices_session_settle_nothing() -> None:
    async with (
        serving(task=two_looks) as server,
        device(server.url, "victim") as victim,
        orchestrator(server.url, target="victim") as orch,
        device(server.url, "thief") as thief,
    ):
        await orch.ask("s1", "victim")
        command = await victim.command("s1")
        forged: list[dict[str, Any]] = [
            {},
            {"prev_response_id": None},
            {"client_id": "victim"},
            {"session_id": "s2"},
            {"session_id": ""},
            {"target_id": "victim"},
            {"client_type": "constellation"},
            {"request_id": command["response_id"]},
        ]
        for fields in forged:
            await thief.answer(command, "forged", **fields)
            await thief.refused()
        await victim.answer(command, "seen")
        await victim.answer(await victim.command("s1"), "seen again")
        assert (await orch.end("s1"))["result"] == ["seen", "seen again"]


async def test_results_count_once_and_for_the_turn_that_they_answer() -> None:
    async with (
        serving(task=two_looks) as server,
        device(server.url) as victim,
        orchestrator(server.url) as orch,
    ):
        await orch.ask("s1", "dev-1")
        first = await victim.command("s1")
        await victim.answer(first, "one")
        second = await victim.command("s1")
        await victim.answer(first, "one again")  # a replay of what was once right
        assert "s1" in await victim.refused()
        await victim.answer(second, "two")
        assert (await orch.end("s1"))["result"] == ["one", "two"]


async def test_who_guesses_a_session_id_can_neither_end_it_nor_take_it() -> None:
    async with (
        serving(task=two_looks) as server,
        device(server.url, "victim") as victim,
        device(server.url, "thief") as thief,
        orchestrator(server.url, target="victim") as orch,
        orchestrator(server.url, "rival", target="thief") as rival,
    ):
        await orch.ask("s1", "victim")
        command = await victim.command("s1")
        for status in ("completed", "failed"):
            await thief.send("task_end", status, session_id="s1")
            await rival.send("task_end", status, session_id="s1", client_type="constellation")
            assert "task_end" in await rival.refused()
        # A task of one's own under that id is refused, and the one that runs is not touched.
        await rival.ask("s1", "thief")
        end = await rival.end("s1")
        assert (end["status"], "s1" in server.sessions_of("victim")) == ("failed", True)
        await thief.send("task", "continue", session_id="s1", request="mine", client_type="device")
        assert (await thief.end("s1"))["status"] == "failed"
        await victim.answer(command, "seen")
        await victim.answer(await victim.command("s1"), "seen again")
        assert (await orch.end("s1"))["status"] == "completed"


async def test_an_id_made_by_the_server_cannot_be_guessed_from_the_last_one() -> None:
    async with serving() as server, device(server.url), orchestrator(server.url) as orch:
        ids: list[str] = []
        for _ in range(3):
            await orch.ask(None, "dev-1")
            ids.append((await orch.end())["session_id"])
        assert all(len(each) >= 32 for each in ids)
        assert len({each[:8] for each in ids}) == 3


async def test_a_second_registration_changes_nothing() -> None:
    async with serving() as server, device(server.url) as client, device(server.url, "dev-2") as other:
        forged: list[dict[str, Any]] = [
            {"client_id": "dev-2"},
            {"client_id": "dev-1", "client_type": "constellation"},
            {"client_id": "dev-3", "metadata": {"platform": "forged"}},
        ]
        for fields in forged:
            await client.send("register", **fields)
            assert "registered" in await client.refused()
        assert sorted(server.devices) == ["dev-1", "dev-2"]
        assert server.devices["dev-1"] == {}
        await client.heartbeat()
        await other.heartbeat()


async def test_a_namesake_does_not_take_the_place_of_one_that_lives() -> None:
    async with serving() as server, device(server.url, metadata={"mine": True}) as victim:
        for client_type in ("device", "constellation"):
            async with peer(server.url) as thief:
                await thief.send("register", client_id="dev-1", client_type=client_type)
                assert "connected already" in await thief.refused(closed=True)
        await victim.heartbeat()
        assert server.devices["dev-1"] == {"mine": True}
        assert server.statistics().refused == {"taken": 2}


BAD_IDS = [
    "",
    "../dev-1",
    "a/b",
    "/",
    "dev-1\x00",
    "\x00",
    "dev\n1",
    "dev-1\u202e",  # written from right to left
    "dev-1\u200b",  # with a space of no width
    "\ufeffdev-1",
    "x" * (LONGEST_ID + 1),
    "x" * 1_000_000,
]


@pytest.mark.parametrize("client_id", BAD_IDS, ids=lambda text: repr(text[:12]))
async def test_an_id_that_is_no_name_is_refused(client_id: str) -> None:
    async with serving() as server, peer(server.url) as client:
        await client.send("register", client_id=client_id)
        reason = await client.refused(closed=True)
        assert "client_id" in reason
        assert len(reason) < 1000
        assert not server.devices


@pytest.mark.parametrize(
    "client_id", ["..", "d\u0435v-1", "DEV-1", "dev-1 ", "d\u00e9v", "de\u0301v", "%2e%2e"]
)
async def test_an_id_that_merely_looks_like_another_is_another(client_id: str) -> None:
    async with serving() as server, device(server.url) as real, device(server.url, client_id) as alike:
        assert set(server.devices) == {"dev-1", client_id}
        await alike.send("heartbeat", client_id="dev-1")
        assert "client_id" in await alike.refused()
        await real.heartbeat()


@pytest.mark.parametrize(
    "client_id", ["link", "session", "connection", "directory", "constructor", "__class__"]
)
async def test_an_id_is_no_part_of_the_server(client_id: str) -> None:
    async with (
        serving() as server,
        device(server.url, client_id) as client,
        orchestrator(server.url, target=None) as orch,
    ):
        look = {"commands": [{"tool_name": "look"}]}
        await orch.send("task", target_id="dev-1", client_type="constellation", request="x", metadata=look)
        assert (await orch.end())["status"] == "failed"  # dev-1 is not there
        await client.heartbeat()


async def test_a_constellation_is_no_device() -> None:
    async with (
        serving() as server,
        orchestrator(server.url, "orch", target=None) as orch,
        orchestrator(server.url, "spy", target=None) as spy,
    ):
        await spy.ask("s1", "orch", "look")
        assert "not connected" in (await spy.end("s1"))["error"]
        await spy.send("device_info_request", client_type="constellation", target_id="orch", request_id="1")
        assert "not connected" in (await spy.receive("device_info_response"))["error"]
        await orch.heartbeat()


async def test_a_constellation_cannot_turn_to_another_device_by_any_field() -> None:
    async with (
        serving(task=two_looks) as server,
        device(server.url, "mine"),
        device(server.url, "victim") as victim,
        orchestrator(server.url, target="mine") as orch,
    ):
        for kind in ("task", "device_info_request", "heartbeat", "error"):
            await orch.send(kind, target_id="victim", client_type="constellation", request="x")
            assert "target_id" in await orch.refused()
        await orch.send("task", target_id="victim", request="x")  # as a device would
        await orch.refused()
        await victim.heartbeat()


@pytest.mark.parametrize(
    "metadata",
    [
        {"system_info": "x" * 100_000},
        {"system_info": [1, 2]},
        {"system_info": {"a": {"b": [None] * 1000}}},
        {"system_info": None, "platform": 5},
        {"platform": {"a": 1}, "progress": "yes", "targeted_device_id": ["dev-1"]},
        {f"key{number}": number for number in range(20_000)},
        {"__class__": "x", "__proto__": {"admin": True}},
    ],
    ids=lambda it: repr(it)[:25],
)
async def test_what_a_registration_brings_along_is_data_and_nothing_more(metadata: dict[str, Any]) -> None:
    async with (
        serving() as server,
        device(server.url, metadata=metadata) as client,
        orchestrator(server.url, metadata=metadata) as orch,
    ):
        await orch.ask("s1", "dev-1", "look")
        await client.answer(await client.command("s1"), "seen")
        assert (await orch.end("s1"))["status"] == "completed"


async def test_a_bomb_of_metadata_is_refused_by_its_size() -> None:
    async with serving(limits=Limits(message_size=100_000)) as server, device(server.url, "dev-2") as other:
        async with attacker(server.port) as it:
            await it.write(head())
            assert await it.status() == 101
            await it.flood(message("register", client_id="dev-1", metadata={"a": "x" * 200_000}))
            assert await it.close_code() in (1009, 1006)
        await other.heartbeat()
        assert list(server.devices) == ["dev-2"]


@pytest.mark.parametrize("size", [LONGEST_ID, LONGEST_ID + 1, 100_000])
async def test_a_session_id_has_a_longest_length(size: int) -> None:
    async with serving() as server, device(server.url), orchestrator(server.url) as orch:
        await orch.ask("s" * size, "dev-1")
        end = await orch.end()
        assert ("session_id" in end["error"]) is (size > LONGEST_ID)


async def test_who_ends_his_registration_in_the_middle_holds_no_id() -> None:
    async with serving(registration_timeout=5) as server:
        for cut in range(1, 60, 7):
            async with attacker(server.port) as it:
                await it.write(head())
                await it.status()
                await it.write(message("register", client_id="dev-1")[:-cut])
        with trio.fail_after(2):
            async with device(server.url) as client:
                await client.heartbeat()


async def test_what_comes_behind_the_registration_in_one_packet_is_checked_too() -> None:
    async with serving() as server, device(server.url, "victim") as victim, attacker(server.port) as it:
        await it.write(
            head()
            + message("register", client_id="thief")
            + message("heartbeat", client_id="victim")
            + message("task_end", "failed", session_id="s1", client_id="victim")
            + frame(1, b"{")
            + message("heartbeat")
        )
        assert await it.status() == 101
        kinds = [(await it.answer())["type"] for _ in range(5)]
        assert sorted(kinds) == ["error", "error", "error", "heartbeat", "heartbeat"]
        await victim.heartbeat()


async def test_the_same_id_from_many_connections_at_once_is_one_clients() -> None:
    async with serving() as server, trio.open_nursery() as nursery:
        got: list[str] = []
        over = trio.Event()

        async def come() -> None:
            async with peer(server.url) as it:
                await it.send("register", client_id="dev-1")
                got.append((await it.receive())["type"])
                if len(got) == 20:
                    over.set()
                await over.wait()

        for _ in range(20):
            nursery.start_soon(come)
        with trio.fail_after(8):
            await over.wait()
        assert got.count("heartbeat") == 1
        assert got.count("error") == 19
        assert server.statistics().clients == 1
        assert server.statistics().refused == {"taken": 19}


async def test_a_device_may_not_ask_what_only_orchestrators_may() -> None:
    async with (
        serving() as server,
        device(server.url, "victim") as victim,
        intruder(server.port, "spy") as spy,
    ):
        for fields in ({}, {"target_id": "spy"}, {"target_id": "victim"}, {"client_type": "constellation"}):
            await spy.write(message("device_info_request", request_id="1", **fields))
            assert (await spy.answer())["type"] == "error"
        await victim.heartbeat()  # and was asked for nothing
