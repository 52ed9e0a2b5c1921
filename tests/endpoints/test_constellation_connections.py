"""The connections of a ConstellationEndpoint: one for each device, made, lost and ended."""

import pytest
import trio

from aip_trio.actors import ActorRef
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    ConstellationState,
    ExecutionResult,
)
from aip_trio.errors import (
    ConnectFailed,
    DeviceNotConnected,
    EndpointNotRunning,
    InvalidUrl,
    NoSystem,
    RegistrationRefused,
)
from aip_trio.messages import TaskStatus
from tests.endpoints.orchestrator_end import Sent, connect, connected, orchestrating, state
from tests.endpoints.peer import PlainServer
from tests.endpoints.support import patient, quick, until, unused_port


@pytest.mark.trio
@pytest.mark.parametrize("orderly", [True, False])
async def test_a_lost_connection_fails_what_waits_for_it_and_comes_back(orderly: bool) -> None:
    lost: list[str] = []

    class Watched(ConstellationEndpoint):
        async def on_device_disconnected(self, device_id: str) -> None:
            lost.append(device_id)
            await super().on_device_disconnected(device_id)

    async with patient(), PlainServer.open() as plain:
        endpoint = Watched("orch", reconnection_strategy=quick())
        await endpoint.start()
        server, profile, _ = await connect(endpoint, plain)
        other, _, _ = await connect(endpoint, plain, "dev-2")
        async with trio.open_nursery() as nursery:
            tasks = [Sent(nursery, endpoint, session_id=str(number)) for number in range(3)]
            infos: list[object] = []

            async def ask() -> None:
                infos.append(await endpoint.request_device_info("dev-1"))

            nursery.start_soon(ask)
            for _ in range(4):
                await server.receive()
            if orderly:
                await server.close(1012)
            else:
                await server.cut()
            await until(lambda: all(sent.result for sent in tasks))
            assert [sent.ended.error for sent in tasks] == ["device_disconnected"] * 3
            await until(lambda: infos == [None])
            assert endpoint.is_connected()  # for the other one
            assert state(endpoint) is ConstellationState.ACTIVE
            server, register = await plain.registered()
            assert register["client_id"] == "orch@dev-1"
            await until(lambda: endpoint.is_device_connected("dev-1"))
            assert profile.status == "connected"
            await until(lambda: lost)
            assert lost == ["dev-1"]
            sent = Sent(nursery, endpoint, session_id="0")  # the id is free again
            await server.receive("task")
            await server.send("task_end", "completed", session_id="0")
            await until(lambda: sent.result)
            assert sent.ended.completed
        await endpoint.stop()
        await other.closed()


@pytest.mark.trio
async def test_a_hook_may_give_the_lost_task_to_another_device() -> None:
    results: list[ExecutionResult] = []

    class Reassigning(ConstellationEndpoint):
        async def on_device_disconnected(self, device_id: str) -> None:
            await super().on_device_disconnected(device_id)
            if device_id == "dev-1":
                results.append(await self.send_task_to_device("dev-2", {"session_id": "s1"}))

    async with patient(), PlainServer.open() as plain:
        endpoint = Reassigning("orch", reconnection_strategy=quick())
        await endpoint.start()
        first, _, _ = await connect(endpoint, plain)
        second, _, _ = await connect(endpoint, plain, "dev-2")
        async with trio.open_nursery() as nursery:
            sent = Sent(nursery, endpoint, session_id="s1")
            await first.receive("task")
            await first.cut()
            await until(lambda: sent.result)
            assert sent.ended.error == "device_disconnected"
            await second.receive("task")
            await plain.registered()
            await until(lambda: endpoint.is_device_connected("dev-1"))  # while the hook still waits
            await second.send("task_end", "completed", session_id="s1", result="done")
            await until(lambda: results)
        assert results[0].result == "done"
        await endpoint.stop()


@pytest.mark.trio
async def test_connecting_twice_is_harmless() -> None:
    async with orchestrating() as (endpoint, plain):
        refs: list[ActorRef] = []

        async def again() -> None:
            refs.append(
                await endpoint.connect_to_device(AgentProfile(device_id="dev-1", server_url=plain.url))
            )

        async with trio.open_nursery() as nursery:
            nursery.start_soon(again)
            nursery.start_soon(again)
            server = await plain.accept()
            await server.receive("register")
            await trio.testing.wait_all_tasks_blocked()
            assert refs == []  # both wait until it is connected
            await server.send("heartbeat", response_id="welcome")
        await again()
        assert len(set(refs)) == 1
        assert endpoint.is_device_connected("dev-1")
        assert endpoint.devices["dev-1"].status == "connected"


@pytest.mark.trio
async def test_a_device_is_disconnected_for_good_and_may_be_connected_again() -> None:
    async with connected() as (endpoint, server, plain), trio.open_nursery() as nursery:
        sent = Sent(nursery, endpoint, session_id="s1")
        await server.receive("task")
        await endpoint.disconnect_device("dev-1")
        assert await server.closed() == 1000
        await until(lambda: sent.result)
        assert sent.ended.error == "device_disconnected"
        assert not endpoint.is_device_connected("dev-1")
        assert endpoint.devices == {}
        assert state(endpoint) is ConstellationState.READY
        with pytest.raises(DeviceNotConnected):
            await endpoint.disconnect_device("dev-1")
        with pytest.raises(DeviceNotConnected):
            await endpoint.reconnect_device("dev-1")
        await connect(endpoint, plain)
        assert endpoint.is_device_connected("dev-1")


@pytest.mark.trio
async def test_it_reconnects_when_it_is_told_to() -> None:
    async with connected() as (endpoint, server, plain):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.reconnect_device, "dev-1")
            assert await server.closed() == 1000
            await plain.registered()
        assert endpoint.is_device_connected("dev-1")


@pytest.mark.trio
async def test_a_connection_that_cannot_be_made_raises_the_last_error() -> None:
    port = await unused_port()
    async with orchestrating(reconnection_strategy=quick(2)) as (endpoint, _):
        profile = AgentProfile(device_id="dev-1", server_url=f"ws://127.0.0.1:{port}/ws")
        with pytest.raises(ConnectFailed, match=str(port)):
            await endpoint.connect_to_device(profile)
        assert (profile.status, profile.connection_attempts) == ("failed", 3)
        assert not endpoint.is_connected()
        with pytest.raises(InvalidUrl):
            await endpoint.connect_to_device(AgentProfile(device_id="dev-2", server_url="nonsense"))
        assert state(endpoint) is ConstellationState.READY


@pytest.mark.trio
async def test_a_refused_device_is_tried_as_often_as_its_profile_says() -> None:
    async with patient(), PlainServer.open() as plain:
        endpoint = ConstellationEndpoint("orch")
        await endpoint.start()
        profile = AgentProfile(device_id="dev-1", server_url=plain.url, max_retries=0)

        async def refuse() -> None:
            server = await plain.accept()
            await server.receive("register")
            await server.send("error", "error", error="device 'dev-1' is not connected")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(refuse)
            with pytest.raises(RegistrationRefused, match="'dev-1' is not connected"):
                await endpoint.connect_to_device(profile)
        assert profile.status == "failed"
        await endpoint.stop()


@pytest.mark.trio
async def test_a_connection_that_is_given_up_says_so_and_others_live_on() -> None:
    async with orchestrating(reconnection_strategy=None) as (endpoint, plain):
        server, _, _ = await connect(endpoint, plain, "dev-2")
        async with PlainServer.open() as other:
            _, profile, _ = await connect(endpoint, other, max_retries=0)
        await until(lambda: profile.status == "failed")
        assert not endpoint.is_device_connected("dev-1")
        assert endpoint.is_device_connected("dev-2")
        await server.send("heartbeat")
        _, profile, _ = await connect(endpoint, plain)  # and it may be connected to again
        assert profile.status == "connected"


@pytest.mark.trio
async def test_stop_ends_connections_that_are_being_made() -> None:
    async with patient(), PlainServer.open() as plain:
        endpoint = ConstellationEndpoint("orch", reconnection_strategy=quick())
        await endpoint.start()
        profile = AgentProfile(device_id="dev-1", server_url=plain.url)
        raised: list[BaseException] = []

        async def wait() -> None:
            try:
                await endpoint.connect_to_device(profile)
            except Exception as error:  # noqa: BLE001 - looked at by the test
                raised.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            server = await plain.accept()
            await server.receive("register")
            await endpoint.stop()
        assert isinstance(raised[0], ConnectionError)
        assert profile.status == "failed"


@pytest.mark.trio
async def test_stop_fails_the_tasks_that_wait() -> None:
    async with patient(), PlainServer.open() as plain:
        endpoint = ConstellationEndpoint("orch", reconnection_strategy=quick())
        await endpoint.start()
        server, _, _ = await connect(endpoint, plain)
        async with trio.open_nursery() as nursery:
            sent = Sent(nursery, endpoint, session_id="s1")
            await server.receive("task")
            await endpoint.stop()
        assert sent.ended.status is TaskStatus.FAILED
        assert sent.ended.error in ("constellation_stopped", "device_disconnected")


@pytest.mark.trio
async def test_tasks_are_cancelled_by_hand() -> None:
    async with connected() as (endpoint, server, _), trio.open_nursery() as nursery:
        sent = Sent(nursery, endpoint, session_id="s1")
        await server.receive("task")
        await endpoint.cancel_device_tasks("dev-1", "maintenance")
        await until(lambda: sent.result)
        assert sent.ended.error == "maintenance"
        assert endpoint.is_device_connected("dev-1")


@pytest.mark.trio
async def test_calls_of_one_that_does_not_run() -> None:
    endpoint = ConstellationEndpoint("orch")
    profile = AgentProfile(device_id="dev-1", server_url="ws://127.0.0.1:1/ws")
    with pytest.raises(NoSystem):
        await endpoint.start()
    for call in (
        endpoint.connect_to_device(profile),
        endpoint.disconnect_device("dev-1"),
        endpoint.stopped(),
    ):
        with pytest.raises(EndpointNotRunning):
            await call
    with pytest.raises(DeviceNotConnected):
        await endpoint.send_task_to_device("dev-1", {})
    await endpoint.stop()
    async with patient():
        await endpoint.start()  # which a call outside of a system has not spoilt
        await endpoint.stop()
        with pytest.raises(EndpointNotRunning):
            await endpoint.connect_to_device(profile)
        assert profile.status == "disconnected"
