"""The server's goodbye: no more connections, tasks ended and told of, connections closed with 1001."""

import pytest
import trio

from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceServerEndpoint,
    ServerState,
    Session,
)
from aip_trio.messages import TaskStatus
from tests.endpoints.memory import fleet, memory_peer, virtual
from tests.endpoints.peer import Peer, device, orchestrator, peer
from tests.endpoints.support import action, patient, quick, serving, until


async def nobody_listens(port: int) -> None:
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream("127.0.0.1", port)


@pytest.mark.trio
async def test_running_tasks_end_failed_at_both_ends_and_then_the_connections_close() -> None:
    async with serving() as server, device(server.url) as client, orchestrator(server.url) as orch:
        for number in range(20):
            await orch.ask(f"s{number}", "dev-1", "look")
        for _ in range(20):
            await client.command()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.stop)
            for each in (orch, client):
                ends = [await each.end() for _ in range(20)]
                assert len({end["session_id"] for end in ends}) == 20
                assert {(end["status"], end["error"]) for end in ends} == {("failed", "server_stopping")}
                assert await each.closed() == 1001
        assert server.lifecycle.state is ServerState.STOPPED


@pytest.mark.trio
async def test_those_without_a_task_hear_of_nothing_but_the_end() -> None:
    async with serving() as server, device(server.url) as client, peer(server.url) as unregistered:
        await server.stop()
        assert await client.closed() == 1001
        assert await unregistered.closed() == 1001


@pytest.mark.trio
async def test_an_orchestrator_of_ours_hears_of_each_end_before_the_connection_closes() -> None:
    async with patient() as system:
        server = DeviceServerEndpoint(port=0)
        await server.start()
        async with device(server.url) as client:
            orch = ConstellationEndpoint("orch", reconnection_strategy=quick(0))
            await orch.start()
            await orch.connect_to_device(AgentProfile(device_id="dev-1", server_url=server.url))
            errors: list[str | None] = []

            async def task(number: int) -> None:
                request = {"session_id": str(number), "metadata": {"commands": [{"tool_name": "look"}]}}
                result = await orch.send_task_to_device("dev-1", request)
                assert result.status is TaskStatus.FAILED
                errors.append(result.error)

            async with trio.open_nursery() as nursery:
                for number in range(50):
                    nursery.start_soon(task, number)
                for _ in range(50):
                    await client.command()
                nursery.start_soon(server.stop)
                for _ in range(50):
                    await client.end()
                assert await client.closed() == 1001
            assert errors == ["server_stopping"] * 50
            await orch.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]


@pytest.mark.trio
async def test_a_drained_server_takes_nobody_and_nothing_more_but_lets_tasks_end() -> None:
    async with serving(drain=5) as server, device(server.url) as client, orchestrator(server.url) as orch:
        port = server.port
        await orch.ask("s1", "dev-1", "look")
        command = await client.command("s1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.stop)
            await until(lambda: server.lifecycle.state is ServerState.STOPPING)
            await trio.testing.wait_all_tasks_blocked()
            await nobody_listens(port)
            await orch.heartbeat()  # heartbeats go on
            await orch.ask("s2", "dev-1", "look")
            end = await orch.end("s2")
            assert (end["status"], end["error"]) == ("failed", "server_stopping")
            await client.answer(command, "seen")
            assert (await orch.end("s1"))["status"] == "completed"
            await client.end("s1")
        assert await orch.closed() == 1001
        assert await client.closed() == 1001


@pytest.mark.trio
async def test_tasks_that_do_not_end_while_it_drains_are_ended() -> None:
    async with serving(drain=0.05) as server, device(server.url) as client, orchestrator(server.url) as orch:
        await orch.ask("s1", "dev-1", "look")
        await client.command("s1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.stop)
            assert (await orch.end("s1"))["error"] == "server_stopping"


@virtual
async def test_a_drain_takes_as_long_as_was_said() -> None:
    done = trio.Event()

    async def slow(session: Session) -> str:
        await done.wait()
        return "done"

    async with fleet(drain=3600, task=slow) as (_, server, network):
        client, orch = await memory_peer(network), await memory_peer(network)
        await client.register("dev-1")
        await orch.register("orch", "constellation", target_id="dev-1")
        await orch.ask("s1", "dev-1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.stop)
            await trio.sleep(3000)
            done.set()
            assert (await orch.end("s1"))["result"] == "done"
        assert trio.current_time() - 3000 < 10


@virtual
async def test_a_task_whose_function_does_not_let_go_does_not_keep_the_word_of_its_end() -> None:
    release = trio.Event()

    async def stubborn(session: Session) -> None:
        with trio.CancelScope(shield=True):
            await release.wait()

    async with fleet(task=stubborn) as (_, server, network):
        orch = await memory_peer(network)
        client = await memory_peer(network)
        await client.register("dev-1")
        await orch.register("orch", "constellation", target_id="dev-1")
        await orch.ask("s1", "dev-1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.stop)
            assert (await orch.end("s1"))["error"] == "server_stopping"
            assert trio.current_time() < 10
            await trio.sleep(20)
            release.set()


@pytest.mark.trio
async def test_a_server_that_is_stopped_with_its_system_says_goodbye_as_well() -> None:
    peers: list[Peer] = []
    async with trio.open_nursery() as nursery:

        async def watch(url: str, *, task_status: trio.TaskStatus[None]) -> None:
            async with device(url) as client:
                peers.append(client)
                task_status.started()
                assert await client.closed() == 1001

        async with patient():
            server = DeviceServerEndpoint(port=0)
            await server.start()
            await nursery.start(watch, server.url)
    assert server.lifecycle.state is ServerState.STOPPED
    assert len(peers) == 1


@pytest.mark.trio
async def test_cancelled_from_outside_it_ends_at_once() -> None:
    async def look(session: Session) -> None:
        await session.execute(action("look"))

    scope = trio.CancelScope()

    async def run(*, task_status: trio.TaskStatus[DeviceServerEndpoint]) -> None:
        with scope:
            async with patient():
                server = DeviceServerEndpoint(port=0, task=look)
                await server.start()
                task_status.started(server)
                await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        server = await nursery.start(run)
        async with device(server.url) as client, orchestrator(server.url) as orch:
            await orch.ask("s1", "dev-1")
            await client.command("s1")
            began = trio.current_time()
            scope.cancel()
            for each in (orch, client):
                assert await each.closed() == 1006
            assert trio.current_time() - began < 8
    assert server.lifecycle.state is ServerState.STOPPED


@pytest.mark.trio
async def test_stopping_twice_or_before_the_start_is_harmless() -> None:
    async with patient():
        server = DeviceServerEndpoint(port=0)
        await server.stop()
        await server.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.stop)
            nursery.start_soon(server.stop)
        await server.stop()
        await server.stopped()
