"""Registration over real sockets, as wire/aip.md 1 has it, with plain peers."""

import json

import pytest
import trio

from aip_trio.endpoints import Limits
from tests.endpoints.peer import Mute, device, orchestrator, peer
from tests.endpoints.support import serving, until

REGISTER = {"type": "register", "status": "ok", "client_id": "dev-1"}


@pytest.mark.trio
async def test_a_device_is_accepted_with_a_heartbeat() -> None:
    async with serving() as server, peer(server.url) as client:
        answer = await client.register("dev-1", metadata={"platform": "linux"})
        assert answer["timestamp"]
        assert server.devices == {"dev-1": {"platform": "linux"}}
        assert server.is_connected()


@pytest.mark.trio
async def test_a_constellation_is_accepted_when_its_device_is_there() -> None:
    async with serving() as server, device(server.url), peer(server.url) as client:
        await client.register("orch", "constellation", target_id="dev-1")
        assert list(server.devices) == ["dev-1"]


@pytest.mark.trio
async def test_a_constellation_need_not_name_a_device() -> None:
    async with serving() as server, orchestrator(server.url, target=None) as client:
        await client.heartbeat()


@pytest.mark.trio
@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"type": "heartbeat", "status": "ok", "client_id": "dev-1"}, "heartbeat"),
        ({"type": "task", "status": "continue", "client_id": "dev-1", "request": "x"}, "register"),
        ({"type": "register", "status": "ok"}, "client_id"),
        ({"type": "register", "status": "ok", "client_id": ""}, "client_id"),
        ({"type": "register", "status": "ok", "client_id": None}, "client_id"),
        ({"type": "register", "status": "ok", "client_id": 7}, "client_id"),
        ({"type": "register", "status": "ok", "client_id": "a/b"}, "client_id"),
        ({"type": "register", "status": "ok", "client_id": "a\nb"}, "client_id"),
        ({"type": "register", "status": "ok", "client_id": "x" * 257}, "client_id"),
        ({"type": "register", "client_id": "dev-1"}, "status"),
        ({"type": "register", "status": "well", "client_id": "dev-1"}, "status"),
        ({"type": "hello", "status": "ok", "client_id": "dev-1"}, "type"),
        ({**REGISTER, "client_type": "toaster"}, "client_type"),
        ({**REGISTER, "metadata": [1]}, "metadata"),
        ({**REGISTER, "target_id": "dev-2"}, "target_id"),
        ({**REGISTER, "client_type": "constellation", "target_id": "dev-9"}, "'dev-9' is not connected"),
        ([], "empty array"),
        ([[REGISTER]], "expected an object"),
        ("register", "register"),
        (None, "register"),
    ],
    ids=lambda value: str(value)[:80],
)
async def test_a_wrong_first_frame_is_refused_and_closed(frame: object, reason: str) -> None:
    async with serving() as server, device(server.url, "there") as there:
        async with peer(server.url) as client:
            await client.wire.send(json.dumps(frame))
            assert reason in await client.refused(closed=True)
        await there.heartbeat()
        assert list(server.devices) == ["there"]


@pytest.mark.trio
@pytest.mark.parametrize(
    "frame",
    ["", "{", '{"type": "register"', "\x00", "[" * 100_000, b"\xff\xfe", b"{}", b""],
    ids=lambda frame: repr(frame[:20]),
)
async def test_a_malformed_first_frame_is_refused_and_closed(frame: str | bytes) -> None:
    async with serving() as server, peer(server.url) as client:
        await client.wire.send(frame)
        assert "register" in await client.refused(closed=True)
        assert not server.is_connected()


@pytest.mark.trio
async def test_a_register_in_a_binary_frame_is_read_as_json() -> None:
    async with serving() as server, peer(server.url) as client:
        await client.wire.send(json.dumps(REGISTER).encode())
        await client.receive("heartbeat")


@pytest.mark.trio
async def test_an_oversized_first_frame_ends_its_own_connection_alone() -> None:
    async with (
        serving(limits=Limits(message_size=2000)) as server,
        device(server.url, "there") as there,
        peer(server.url) as client,
    ):
        await client.send("register", client_id="dev-1", metadata={"text": "x" * 3000})
        assert await client.closed() == 1009
        await there.heartbeat()


@pytest.mark.trio
async def test_who_does_not_register_in_time_is_told_so_and_closed() -> None:
    async with serving(registration_timeout=0.05) as server, peer(server.url) as client:
        assert "0.05 s" in await client.refused(closed=True)


@pytest.mark.trio
async def test_who_leaves_before_registering_leaves_no_trace() -> None:
    async with serving() as server:
        async with peer(server.url) as client:
            await client.cut()
        async with peer(server.url):
            pass
        async with device(server.url) as there:
            await there.heartbeat()


@pytest.mark.trio
async def test_the_second_of_two_that_live_is_refused_and_the_first_is_untouched() -> None:
    async with serving() as server, device(server.url, metadata={"first": True}) as first:
        async with peer(server.url) as second:
            await second.send("register", client_id="dev-1")
            reason = await second.refused(closed=True)
            assert "'dev-1'" in reason
            assert "connected already" in reason
        await first.heartbeat()
        assert server.devices == {"dev-1": {"first": True}}


@pytest.mark.trio
async def test_an_id_is_one_for_devices_and_constellations() -> None:
    async with serving() as server, device(server.url, "twin") as first, peer(server.url) as second:
        await second.send("register", client_id="twin", client_type="constellation")
        assert "'twin'" in await second.refused(closed=True)
        await first.heartbeat()


@pytest.mark.trio
async def test_a_ghost_makes_room_for_the_newcomer_within_the_ghost_timeout() -> None:
    async with (
        serving(ghost_timeout=0.1) as server,
        Mute.open(server.url, "dev-1", metadata={"ghost": True}) as ghost,
    ):
        began = trio.current_time()
        async with device(server.url, metadata={"ghost": False}) as newcomer:
            assert 0.1 <= trio.current_time() - began < 1.9
            assert server.devices == {"dev-1": {"ghost": False}}
            assert await ghost.stream.receive_some(65536) is not None
            await newcomer.heartbeat()
            # And once more: the newcomer lives, and stays.
            async with peer(server.url) as third:
                await third.send("register", client_id="dev-1")
                await third.refused(closed=True)
            await newcomer.heartbeat()


@pytest.mark.trio
async def test_of_two_that_come_for_a_ghosts_place_at_once_one_gets_it() -> None:
    async with (
        serving(ghost_timeout=0.1) as server,
        Mute.open(server.url, "dev-1"),
        peer(server.url) as one,
        peer(server.url) as two,
    ):
        for each in (one, two):
            await each.send("register", client_id="dev-1")
        answers = [await one.receive(), await two.receive()]
        assert sorted(answer["type"] for answer in answers) == ["error", "heartbeat"]
        (refusal,) = (answer for answer in answers if answer["type"] == "error")
        assert "try again" in refusal["error"]


@pytest.mark.trio
async def test_who_has_left_may_come_back_at_once() -> None:
    async with serving() as server:
        for number in range(10):
            async with peer(server.url) as client:
                await client.register("dev-1", metadata={"number": number})
                if number % 2:
                    await client.cut()
        await until(lambda: not server.is_connected())


@pytest.mark.trio
async def test_registering_twice_is_an_error_and_changes_nothing() -> None:
    async with serving() as server, device(server.url) as client:
        for name in ("dev-1", "dev-2"):
            await client.send("register", client_id=name)
            assert "registered" in await client.refused()
        await client.heartbeat()
        assert list(server.devices) == ["dev-1"]
