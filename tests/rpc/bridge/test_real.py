"""A bridge between a real service and a real server, over sockets; its parts and those beside it killed."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio

from aip_trio.actors import ActorSystem, open_system
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceServerEndpoint,
    ExecutionResult,
)
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiEvent,
    ApiEventKind,
    ApiOptions,
    RpcOptions,
    RpcService,
    create_api_service,
)
from aip_trio.rpc.bridge import RpcBridge, RpcBridgeState
from tests.endpoints.support import quick, until

SUCCESS = ApiCommandRequestResult.SUCCESS


async def answer(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    """A device that takes its time over what is USER_DEFINED."""
    if request.command == ApiCommand.USER_DEFINED:
        await trio.sleep(0.2)
    await trio.lowlevel.checkpoint()
    return ApiCommandRequestResponse(SUCCESS, {"command": request.command, "data": request.data})


def make_service(subscriber_port: int = 0, command_port: int = 0) -> RpcService:
    options = RpcOptions(True, "bench-1", 0.05, subscriber_port, command_port, replay=100)
    service = create_api_service(ApiOptions(rpc=options))
    assert service is not None
    service.command_request_delegate = answer
    return service


@attrs.frozen
class Lab:
    """A service, its bridge, and an orchestrator in the fleet."""

    system: ActorSystem
    server: DeviceServerEndpoint
    service: RpcService
    bridge: RpcBridge
    orch: ConstellationEndpoint

    async def task(self, tool: str, **parameters: object) -> ExecutionResult:
        commands = [{"tool_name": tool, "parameters": parameters}]
        return await self.orch.send_task_to_device(
            "bench-1", {"request": "r", "metadata": {"commands": commands}}
        )

    async def crash(self, path: str) -> None:
        """Have the actor at this path crash, and wait for its next incarnation."""
        actor: Any = self._actor(path)

        async def burst() -> None:
            raise RuntimeError("planted")

        actor.nursery.start_soon(burst)
        await until(lambda: self._actor(path) not in (None, actor))

    def _actor(self, path: str) -> object:
        ref = self.system.find(path)
        return None if ref is None else ref._cell.actor


@asynccontextmanager
async def lab(url: str | None = None) -> AsyncGenerator[Lab]:
    with trio.fail_after(30):
        async with open_system() as system:
            async with _lab(system, url) as here:
                yield here
            assert [node.path for node in system.tree().walk()] == ["/"]


@asynccontextmanager
async def _lab(system: ActorSystem, url: str | None) -> AsyncGenerator[Lab]:
    server = DeviceServerEndpoint(port=0) if url is None else DeviceServerEndpoint(url=url)
    service = make_service()
    async with server, service:
        bridge = RpcBridge(
            server.url,
            subscriber_port=service.subscriber_port,
            command_port=service.command_port,
            timeout=5.0,
            telemetry_interval=0.05,
            reconnection_strategy=quick(),
        )
        orch = ConstellationEndpoint("orch", reconnection_strategy=quick())
        async with bridge, orch:
            assert await bridge.wait_joined() == "bench-1"
            await orch.connect_to_device(AgentProfile(device_id="bench-1", server_url=server.url))
            yield Lab(system, server, service, bridge, orch)


@pytest.mark.trio
@pytest.mark.parametrize("url", [None, "tcp://127.0.0.1:0"], ids=["websocket", "zeromq"])
async def test_commands_go_and_events_come(url: str | None) -> None:
    async with lab(url) as here:
        end = await here.task("get_status", data={"any_thing": [1, {"b_c": 2}]})
        assert end.result[0]["result"] == {"command": 400, "data": {"any_thing": [1, {"b_c": 2}]}}
        end = await here.task("send_command", command="user_defined")  # its end comes as an event
        assert end.result[0]["result"] == {"command": 99999, "data": None}
        here.service.send_event(ApiEvent(ApiEventKind.emergencyStop, 1.0, 2))

        def told() -> Any:
            client = here.server._hub.directory.device("bench-1")
            assert client is not None
            return (client.info or {}).get("rpc", {}).get("last_events", {})

        await until(lambda: "emergencyStop" in told())


@pytest.mark.trio
@pytest.mark.parametrize(
    "path",
    [
        "/rpc-client/presence",
        "/rpc-client/commands",
        "/rpc-client/events",
        "/bridge/service",
        "/bridge/reports",
    ],
)
async def test_a_crash_on_the_service_s_side_does_not_cost_the_connection(path: str) -> None:
    async with lab() as here:
        before = here.server._hub.directory.device("bench-1")
        await here.crash(path)
        await until(lambda: here.bridge._caller.client is not None)
        assert (await here.task("get_status")).completed
        assert here.server._hub.directory.device("bench-1") is before


@pytest.mark.trio
@pytest.mark.parametrize("path", ["/device/connection/link", "/device/executor", "/bridge/fleet"])
async def test_a_crash_on_the_fleet_s_side_does_not_cost_the_client(path: str) -> None:
    async with lab() as here:
        client = here.bridge._caller.client
        assert client is not None
        before = here.server._hub.directory.device("bench-1")
        await here.crash(path)
        await until(lambda: _another(here, before))
        assert here.bridge._caller.client is client
        assert (await client.command(ApiCommand.GET_STATUS)).result == SUCCESS
        await here.bridge.wait_joined()
        await until(lambda: here.orch.is_device_connected("bench-1"))
        assert (await here.task("get_status")).completed


def _another(here: Lab, before: object) -> bool:
    return here.server._hub.directory.device("bench-1") not in (None, before)


@pytest.mark.trio
async def test_a_service_that_stops_and_another_that_starts_in_its_place() -> None:
    async with lab() as here:
        ports = here.service.subscriber_port, here.service.command_port
        client: Any = here.bridge._caller.client
        await until(lambda: client.presence.interval < 1)  # how often its heartbeats come is known
        await here.service.stop()
        await until(lambda: here.bridge.state is RpcBridgeState.WAITING)
        assert here.server._hub.directory.device("bench-1") is None
        async with make_service(*ports):
            await here.bridge.wait_joined()
            await here.orch.connect_to_device(AgentProfile(device_id="bench-1", server_url=here.server.url))
            assert (await here.task("get_status")).completed
