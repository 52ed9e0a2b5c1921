"""Several messages in one frame, at a server and at its clients."""

import json
from typing import Any

from aip_trio.actors import open_system
from aip_trio.endpoints import DeviceClientEndpoint
from aip_trio.transport import MemoryNetwork
from tests.endpoints.memory import Arrivals, fleet, memory_peer, virtual
from tests.endpoints.peer import Frame, Peer
from tests.endpoints.support import Worker, quick

REGISTER: Frame = {"type": "register", "status": "ok", "client_id": "dev-1"}
BEAT: Frame = {"type": "heartbeat", "status": "ok"}


async def send(peer: Peer, *frames: Any) -> None:
    """All in one frame."""
    await peer.wire.send(json.dumps(frames))


@virtual
async def test_a_server_takes_them_one_by_one_from_the_first_frame_on() -> None:
    async with fleet() as (_, server, network):
        device = await memory_peer(network)
        await send(device, REGISTER, BEAT, BEAT)
        for _ in range(3):
            await device.receive("heartbeat")
        assert list(server.devices) == ["dev-1"]
        await send(device, BEAT)
        await device.receive("heartbeat")


@virtual
async def test_a_bad_one_is_answered_with_its_index_and_the_others_count() -> None:
    async with fleet() as (_, _, network):
        device = await memory_peer(network)
        await device.register("dev-1")
        await send(device, BEAT, {"type": "heartbeat"}, 7, [BEAT], {**BEAT, "client_id": "somebody"}, BEAT)
        frames = [await device.receive() for _ in range(6)]
        # The link refuses what is bad, and its session answers the rest: each in its order, side by side.
        assert [frame["type"] for frame in frames].count("heartbeat") == 2
        refusals = [frame["error"] for frame in frames if frame["type"] == "error"]
        for told, refusal in zip(
            ("is required @ $[1].status", "@ $[2]", "@ $[3]", "'somebody'"), refusals, strict=True
        ):
            assert told in refusal


@virtual
async def test_a_frame_of_none_or_too_many_is_one_error() -> None:
    async with fleet() as (_, _, network):
        device = await memory_peer(network)
        await device.register("dev-1")
        await send(device)
        assert "empty array" in await device.refused()
        await send(device, *[BEAT] * 1025)
        assert "more than 1,024 messages" in await device.refused()
        await device.wire.send("[" * 100_000)
        assert "nests too deep" in await device.refused()
        await device.heartbeat()


@virtual
async def test_results_of_several_sessions_may_come_in_one_frame() -> None:
    async with fleet() as (_, _, network):
        device, orch = [await memory_peer(network) for _ in range(2)]
        await device.register("dev-1")
        await orch.register("orch", "constellation", target_id="dev-1")
        ask = {"type": "task", "status": "continue", "client_type": "constellation", "request": "x"}
        metadata = {"commands": [{"tool_name": "look"}]}
        await send(orch, *[{**ask, "session_id": name, "metadata": metadata} for name in "ab"])
        commands = [await device.command() for _ in range(2)]
        answers = [
            {
                "type": "command_results",
                "status": "continue",
                "session_id": command["session_id"],
                "prev_response_id": command["response_id"],
                "action_results": [{"status": "success", "result": command["session_id"]}],
            }
            for command in commands
        ]
        await send(device, *answers)
        ends = [await orch.end() for _ in range(2)]
        assert sorted((end["session_id"], end["status"]) for end in ends) == [
            ("a", "completed"),
            ("b", "completed"),
        ]


@virtual
async def test_the_rest_of_a_frame_whose_registration_is_refused_is_nobodys() -> None:
    async with fleet() as (_, server, network):
        device = await memory_peer(network)
        await send(device, BEAT, REGISTER)
        assert "has to be a register" in await device.refused(closed=True)
        assert not server.devices


@virtual
async def test_a_device_takes_them_one_by_one() -> None:
    network = MemoryNetwork()
    async with open_system() as system:
        arrivals = Arrivals(network)
        await arrivals.open(system.nursery)
        worker = Worker()
        endpoint = DeviceClientEndpoint(
            arrivals.url, worker, reconnection_strategy=quick(), make_transport=network.transport
        )
        system.nursery.start_soon(endpoint.start)
        server = await arrivals.accept()
        await server.receive("register")
        command = {"type": "command", "status": "continue", "session_id": "s"}
        await send(
            server,
            BEAT,
            *[
                {**command, "response_id": name, "actions": [{"tool_name": name, "tool_type": "action"}]}
                for name in "ab"
            ],
            {"type": "command"},
        )
        answers = [await server.receive() for _ in range(3)]  # the refusal need not wait for the commands
        (refusal,) = (frame for frame in answers if frame["type"] == "error")
        assert "$[3].status" in refusal["error"]
        assert [frame["prev_response_id"] for frame in answers if frame is not refusal] == ["a", "b"]
        assert worker.begun == [("s", "a"), ("s", "b")]
        await endpoint.stop()
