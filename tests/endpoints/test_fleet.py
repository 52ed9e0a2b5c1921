"""Real endpoints together, over real sockets: what a user of them sees."""

from pathlib import Path

import pytest
import trio

from aip_trio.actors import ActorSystem
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    ServerState,
    Session,
)
from aip_trio.endpoints.tools import ToolClient, builtin_tools
from aip_trio.errors import ConnectFailed
from tests.endpoints.peer import device
from tests.endpoints.support import Worker, action, patient, quick, until
from tests.transport.ends import tls


@pytest.mark.trio
async def test_an_orchestrator_has_two_devices_work_side_by_side(tmp_path: Path) -> None:
    for name in ("dev-1", "dev-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(f"of {name}")
    async with patient() as system:
        server = DeviceServerEndpoint(port=0, token="s3cret")
        await server.start()
        devices = [
            DeviceClientEndpoint(
                server.url, ToolClient(name, builtin_tools(root=tmp_path / name)), token="s3cret"
            )
            for name in ("dev-1", "dev-2")
        ]
        orch = ConstellationEndpoint("orch", token="s3cret")
        await orch.start()
        contents: dict[str, str] = {}
        lines: list[str] = []

        async def work(endpoint: DeviceClientEndpoint) -> None:
            await endpoint.start()
            name = endpoint.ufo_client.client_id
            await orch.connect_to_device(AgentProfile(device_id=name, server_url=server.url))
            commands = [{"tool_name": "read_file", "parameters": {"path": "file"}}] * 3
            request = {"request": "read", "metadata": {"commands": commands}}
            result = await orch.send_task_to_device(name, request, on_log=lines.append)
            assert result.completed, result
            assert result.metadata["log"] == [f"{n} of 3: read_file: success" for n in (1, 2, 3)]
            contents[name] = str(result.result[0]["result"])
            info = await orch.device_info(name)
            assert info["device_id"] == name
            bad = {"metadata": {"commands": [{"tool_name": "nope"}, commands[0]]}}
            result = await orch.send_task_to_device(name, bad)
            assert [each["status"] for each in result.result] == ["failure", "success"]
            assert "nope" in result.result[0]["error"]

        async with trio.open_nursery() as nursery:
            for endpoint in devices:
                nursery.start_soon(work, endpoint)
        assert len(lines) == 6
        for name in ("dev-1", "dev-2"):
            assert f"of {name}" in contents[name]
        for stopped in (devices[0], orch, devices[1], server):
            await stopped.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]


@pytest.mark.trio
async def test_a_fleet_over_tls() -> None:
    ours, theirs = tls()
    async with patient():
        server = DeviceServerEndpoint(port=0, ssl_context=ours)
        await server.start()
        assert server.url.startswith("wss://127.0.0.1:")
        worker = Worker()
        distrustful = DeviceClientEndpoint(server.url, worker, reconnection_strategy=quick(0))
        with pytest.raises(ConnectFailed):
            await distrustful.start()
        endpoint = DeviceClientEndpoint(server.url, worker, ssl_context=theirs)
        await endpoint.start()
        orch = ConstellationEndpoint("orch", ssl_context=theirs)
        await orch.start()
        await orch.connect_to_device(AgentProfile(device_id="dev-1", server_url=server.url))
        request = {"metadata": {"commands": [{"tool_name": "look"}]}}
        assert (await orch.send_task_to_device("dev-1", request)).completed
        for stopped in (orch, endpoint, server):
            await stopped.stop()


@pytest.mark.trio
async def test_a_server_that_comes_back_finds_its_fleet_again() -> None:
    async def look(session: Session) -> object:
        (result,) = await session.execute(action("look"))
        return result.result

    async with patient():
        first = DeviceServerEndpoint(port=0, task=look)
        await first.start()
        port = first.port
        endpoint = DeviceClientEndpoint(first.url, Worker(), reconnection_strategy=quick())
        await endpoint.start()
        orch = ConstellationEndpoint("orch", reconnection_strategy=quick())
        await orch.start()
        await orch.connect_to_device(AgentProfile(device_id="dev-1", server_url=first.url))
        assert (await orch.send_task_to_device("dev-1", {})).completed
        await first.stop()
        await until(lambda: not endpoint.is_connected() and not orch.is_connected())
        second = DeviceServerEndpoint(port=port, task=look)
        await second.start()
        await until(lambda: endpoint.is_connected() and orch.is_connected())
        assert (await orch.send_task_to_device("dev-1", {})).completed
        for stopped in (orch, endpoint, second):
            await stopped.stop()


@pytest.mark.trio
async def test_who_comes_while_the_server_still_starts_is_welcome() -> None:
    class Leisurely(DeviceServerEndpoint):
        async def _come_up(self, system: ActorSystem) -> None:
            await super()._come_up(system)
            await until(self.is_connected)

    async with patient() as system:
        server = Leisurely(port=0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.start)
            await until(lambda: server._ref is not None)
            async with device(server.url) as client:
                await until(lambda: server.lifecycle.state is ServerState.HANDLING)
                await client.heartbeat()
            await until(lambda: server.lifecycle.state is ServerState.LISTENING)
        await server.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]
