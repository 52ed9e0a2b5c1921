"""Connections that a program brings along, from tasks of its own."""

import pytest
import trio
from trio_websocket import WebSocketRequest, serve_websocket

from aip_trio.actors import open_system
from aip_trio.endpoints import DeviceServerEndpoint, ServerState, Session
from aip_trio.errors import EndpointNotRunning, UnknownWebSocket
from aip_trio.transport import MemoryTransport
from tests.endpoints.memory import MemoryWire, virtual
from tests.endpoints.peer import Peer, device, orchestrator, peer
from tests.endpoints.support import living, patient, until


@pytest.mark.trio
async def test_connections_of_trio_websocket_served_outside_of_the_system() -> None:
    async def greet(session: Session) -> str:
        return f"hello {session.device_id}"

    handled = 0
    tasks = living()
    with trio.fail_after(10):
        async with trio.open_nursery() as framework:
            async with open_system() as system:
                server = DeviceServerEndpoint(task=greet)
                await server.start()

                async def route(request: WebSocketRequest) -> None:
                    nonlocal handled
                    await server.handle_websocket(await request.accept())
                    handled += 1

                front = await framework.start(serve_websocket, route, "127.0.0.1", 0, None)
                url = f"ws://127.0.0.1:{front.port}/anything"
                async with device(url) as client, orchestrator(url) as orch:
                    await orch.ask("s1", "dev-1")
                    assert (await orch.end("s1"))["result"] == "hello dev-1"
                    assert (await client.end("s1"))["status"] == "completed"
                    async with peer(url) as wrong:
                        await wrong.send("heartbeat")
                        await wrong.refused(closed=True)
                    await until(lambda: handled == 1)
                    async with device(url, "dev-2") as other:
                        await other.cut()
                    await until(lambda: list(server.devices) == ["dev-1"])
                    await server.stop()
                    for each in (client, orch):
                        assert await each.closed() == 1001
                await until(lambda: handled == 4)
                assert [node.path for node in system.tree().walk()] == ["/"]
            framework.cancel_scope.cancel()
    assert living() == tasks


@virtual
async def test_it_returns_when_the_peer_goes_and_ends_the_connection_when_it_is_cancelled() -> None:
    async with open_system() as system:
        server = DeviceServerEndpoint()
        await server.start()
        for how in ("peer", "cancel"):
            here, there = MemoryTransport.pair()
            client = Peer(MemoryWire(here))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.handle_websocket, there)
                await client.register("dev-1")
                assert server.lifecycle.state.name == "HANDLING"
                if how == "peer":
                    await client.close()
                else:
                    nursery.cancel_scope.cancel()
            await until(lambda: not server.is_connected())
            assert system.find("/server/connections/dev-1") is None
            assert not here.is_connected
            assert server.lifecycle.state is ServerState.LISTENING
        await server.stop()


@virtual
async def test_it_returns_when_the_server_stops_whether_its_client_has_registered_or_not() -> None:
    async with open_system():
        server = DeviceServerEndpoint(registration_timeout=3600)
        await server.start()
        ends = [MemoryTransport.pair() for _ in range(2)]
        async with trio.open_nursery() as nursery:
            for _, there in ends:
                nursery.start_soon(server.handle_websocket, there)
            await Peer(MemoryWire(ends[0][0])).register("dev-1")
            await trio.testing.wait_all_tasks_blocked()
            await server.stop()
        assert trio.current_time() < 60
        assert not any(here.is_connected for here, _ in ends)


@virtual
async def test_before_the_start_and_after_the_end_it_says_so() -> None:
    server = DeviceServerEndpoint()
    here, there = MemoryTransport.pair()
    with pytest.raises(EndpointNotRunning):
        await server.handle_websocket(there)
    async with open_system():
        await server.start()
        with pytest.raises(UnknownWebSocket):
            await server.handle_websocket(object())
        await server.stop()
        with pytest.raises(EndpointNotRunning):
            await server.handle_websocket(there)
    assert here.is_connected  # it was not ours to close


@pytest.mark.trio
async def test_a_handler_that_fails_is_no_failure_of_the_server() -> None:
    async with patient():
        server = DeviceServerEndpoint()
        await server.start()
        here, there = MemoryTransport.pair()
        here.cut()
        await server.handle_websocket(there)  # gone before it had begun
        assert not server.is_connected()
        await server.stop()
