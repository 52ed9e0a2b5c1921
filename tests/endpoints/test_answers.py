"""Every message ends with an answer, an error, or as what needs none; and who does not read waits alone."""

import typing

import pytest
import trio

from aip_trio.actors import Actor
from aip_trio.endpoints import Session
from aip_trio.endpoints.constellation._session import ConstellationSession as OrchestratorsSession
from aip_trio.endpoints.device._session import DeviceSession as DevicesSession
from aip_trio.endpoints.server._constellation_session import ConstellationSession
from aip_trio.endpoints.server._device_session import DeviceSession
from aip_trio.messages import FromClient, FromServer
from tests.endpoints.crew import crew
from tests.endpoints.memory import fleet, memory_peer, virtual
from tests.endpoints.peer import Frame, device, orchestrator
from tests.endpoints.support import action, serving, until


@pytest.mark.parametrize(
    ("session", "incoming"),
    [
        (DeviceSession, FromClient),
        (ConstellationSession, FromClient),
        (DevicesSession, FromServer),
        (OrchestratorsSession, FromServer),
    ],
    ids=["device at the server", "orchestrator at the server", "device", "orchestrator"],
)
def test_each_session_knows_what_to_do_with_each_message(session: type[Actor], incoming: object) -> None:
    for message_class in typing.get_args(incoming):
        assert session._handlers.find(message_class) is not None, message_class


MESSAGES: list[tuple[Frame, str | None, str | None]] = [
    ({"type": "register", "client_id": "x"}, "error", "error"),
    ({"type": "heartbeat"}, "heartbeat", "heartbeat"),
    ({"type": "task", "request": "x", "session_id": "s"}, "task_end", "task_end"),
    ({"type": "task_end", "session_id": "unknown"}, None, None),
    ({"type": "command_results", "session_id": "s", "action_results": []}, "error", "error"),
    ({"type": "device_info_request", "request_id": "q"}, "error", "device_info_response"),
    ({"type": "device_info_response", "metadata": {}}, None, "error"),
    ({"type": "error", "error": "x"}, None, None),
    ({"type": "nonsense"}, "error", "error"),
]


@pytest.mark.trio
@pytest.mark.parametrize(
    ("frame", "to_device", "to_orchestrator"), MESSAGES, ids=[frame["type"] for frame, *_ in MESSAGES]
)
async def test_what_a_server_answers(
    frame: Frame, to_device: str | None, to_orchestrator: str | None
) -> None:
    async with (
        serving(info_timeout=0.05) as server,
        device(server.url) as client,
        orchestrator(server.url) as orch,
    ):
        for each, kind, client_type in (
            (client, to_device, "device"),
            (orch, to_orchestrator, "constellation"),
        ):
            await each.send(status="ok", kind=frame["type"], **{**frame, "client_type": client_type})
            if kind is not None:
                await each.receive(kind)
            if frame["type"] == "task" and each is orch:
                await client.end("s")
            if frame["type"] == "device_info_request" and each is orch:
                await client.receive("device_info_request")
            await each.heartbeat()


@virtual
async def test_an_orchestrator_that_does_not_read_holds_up_its_own_tasks_alone() -> None:
    async def chatty(session: Session) -> str:
        if session.request == "quietly":
            (result,) = await session.execute(action("look"))
            return str(result.result)
        for number in range(900):
            session.log(f"{number}: " + "x" * 10_000)
            await trio.sleep(0.001)
        await trio.sleep_forever()
        raise AssertionError

    async with fleet(task=chatty) as (_, server, network):
        deaf, orch, client, other = [await memory_peer(network) for _ in range(4)]
        await client.register("dev-1")
        await other.register("dev-2")
        await deaf.register("deaf", "constellation", metadata={"progress": True})
        await orch.register("orch", "constellation")
        for number in range(5):
            await deaf.ask(f"deaf {number}", "dev-1")
        await trio.sleep(10)
        # The device of its tasks, the other one, and whoever comes, go on.
        began = trio.current_time()
        for target, each in (("dev-1", client), ("dev-2", other)):
            await orch.ask(f"s {target}", target, request="quietly")
            await each.answer(await each.command(f"s {target}"), "seen")
            assert (await orch.end(f"s {target}"))["result"] == "seen"
        await client.cut()
        await until(lambda: list(server.devices) == ["dev-2"])
        third = await memory_peer(network)
        await third.register("dev-3")
        again = await memory_peer(network)
        await again.register("dev-1")
        await orch.ask("s", "dev-1", request="quietly")
        await again.answer(await again.command("s"), "seen")
        assert (await orch.end("s"))["result"] == "seen"
        assert trio.current_time() - began < 100
        await deaf.cut()
        await until(lambda: not server.sessions_of("deaf"))


@virtual
async def test_a_device_that_does_not_read_holds_up_its_own_tasks_alone() -> None:
    async with fleet() as (_, _, network):
        deaf, orch, other = [await memory_peer(network) for _ in range(3)]
        await deaf.register("deaf")
        await other.register("dev-2")
        await orch.register("orch", "constellation")
        for number in range(200):
            text = {"commands": [{"tool_name": "look", "parameters": {"text": "x" * 20_000}}]}
            await orch.ask(f"deaf {number}", "deaf", metadata=text)
        await orch.ask("s2", "dev-2", "look")
        await other.answer(await other.command("s2"), "seen")
        assert (await orch.end("s2"))["status"] == "completed"
        await deaf.cut()
        ends = [await orch.end() for _ in range(200)]
        assert {end["error"] for end in ends} == {"device_disconnected"}
        assert len({end["session_id"] for end in ends}) == 200
        await orch.heartbeat()


@virtual
async def test_a_server_that_does_not_read_does_not_hang_those_who_talk_to_it() -> None:
    """Its mailboxes fill; its heartbeats then go unanswered, and the connection is made anew."""
    async with crew() as fleet:
        stuck = fleet.server._hub.directory.clients["dev-1"]
        link = fleet.system.find("/server/connections/dev-1/link")
        assert link is not None
        gate = trio.Event()

        async def never(data: bytes) -> object | None:
            await gate.wait()
            return None

        vars(link._cell.actor)["incoming"] = never
        await fleet.orch.stop()
        with trio.fail_after(1000):
            while fleet.server._hub.directory.clients.get("dev-1") is stuck:
                with trio.move_on_after(1):
                    await fleet.device.push_device_info()
                await trio.sleep(0.01)
            await until(fleet.device.is_connected)
        gate.set()
