"""What all endpoints have: a system of their own where there is none, and plain conversations."""

import pytest
import trio

from aip_trio.actors import current_system, open_system
from aip_trio.endpoints import (
    AIPEndpoint,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
)
from aip_trio.errors import (
    DecodeError,
    EndpointNotRunning,
    IllegalTransition,
    InvalidSpec,
    NoHandler,
    NoSystem,
    OperationTimeout,
    RestartIntensityExceeded,
    StartCalledOff,
)
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
    WireModel,
)
from aip_trio.protocol import AIPProtocol
from aip_trio.transport import MemoryTransport
from tests.endpoints.memory import virtual
from tests.endpoints.peer import PlainServer, device
from tests.endpoints.support import Worker, living, quick, until

BEAT = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK)


@pytest.mark.trio
async def test_outside_of_a_system_it_opens_one_for_itself() -> None:
    tasks = living()
    with pytest.raises(NoSystem):
        current_system()
    async with DeviceServerEndpoint(port=0) as server:
        assert server.system is current_system()  # the body, and others in it, may use it too
        async with (
            DeviceClientEndpoint(server.url, Worker()) as endpoint,
            ConstellationEndpoint("orch") as orch,
        ):
            assert list(server.devices) == ["dev-1"]
            assert len({endpoint.system.id, orch.system.id, server.system.id}) == 1
        async with device(server.url) as client:
            await client.heartbeat()
    assert living() == tasks
    assert server.lifecycle.state.name == "STOPPED"
    with pytest.raises(NoSystem):
        current_system()


@virtual
async def test_inside_of_a_system_it_joins_that_one() -> None:
    async with open_system() as system:
        async with DeviceServerEndpoint() as server:
            assert server.system is system
            assert server.ref.path == "/server"
            async with DeviceServerEndpoint() as second:
                assert second.ref.path != "/server"
        assert system.tree().children == ()


@pytest.mark.trio
@pytest.mark.parametrize("inside", [True, False])
async def test_a_bodys_error_leaves_it_bare(inside: bool) -> None:
    async def body() -> None:
        async with DeviceServerEndpoint(port=0):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        if inside:
            async with open_system():
                await body()
        else:
            await body()


@pytest.mark.trio
async def test_a_start_that_fails_leaves_nothing() -> None:
    tasks = living()
    endpoint = DeviceClientEndpoint("ws://127.0.0.1:1/ws", Worker(), reconnection_strategy=quick(0))
    with pytest.raises(ConnectionError):
        async with endpoint:
            raise AssertionError
    assert living() == tasks
    assert endpoint.lifecycle.state.name == "STOPPED"


@pytest.mark.trio
async def test_one_that_gives_up_in_a_system_of_its_own_ends_the_body() -> None:
    with trio.fail_after(10):
        async with PlainServer.open() as plain, trio.open_nursery() as nursery:
            endpoint = DeviceClientEndpoint(plain.url, Worker(), reconnection_strategy=quick(0))
            ends: list[BaseException] = []

            async def live() -> None:
                try:
                    async with endpoint:
                        await trio.sleep_forever()
                except RestartIntensityExceeded as error:
                    ends.append(error)

            nursery.start_soon(live)
            server, _ = await plain.registered()
            await until(endpoint.is_connected)
            await server.cut()
            await until(lambda: ends)
    assert endpoint.lifecycle.state.name == "STOPPED"


@virtual
async def test_no_endpoint_starts_twice() -> None:
    async with open_system():
        for endpoint in (DeviceServerEndpoint(), ConstellationEndpoint("orch")):
            await endpoint.start()
            with pytest.raises(IllegalTransition):
                await endpoint.start()
            assert endpoint.lifecycle.state.name in ("LISTENING", "READY")
            await endpoint.stop()
            with pytest.raises(IllegalTransition):
                await endpoint.start()
            await endpoint.stop()
            await endpoint.stopped()


@virtual
async def test_a_server_that_is_stopped_while_it_starts_does_not_start() -> None:
    async with open_system() as system:
        server = DeviceServerEndpoint()
        raised: list[BaseException] = []

        async def start() -> None:
            try:
                await server.start()
            except StartCalledOff as error:
                raised.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(start)
            while server._start is None:
                await trio.lowlevel.checkpoint()
            await server.stop()
        assert len(raised) == 1
        assert server.lifecycle.state.name == "STOPPED"
        assert system.tree().children == ()


# A plain conversation


@virtual
async def test_with_a_protocol_it_is_a_conversation() -> None:
    here, there = MemoryTransport.pair()
    client, server = AIPEndpoint(AIPProtocol(here)), AIPEndpoint(AIPProtocol(there))
    assert client.is_connected()
    await client.send_with_timeout(BEAT, 1.0)
    assert await server.receive_with_timeout(ClientMessage, 1.0) == BEAT
    with pytest.raises(OperationTimeout) as raised:
        await server.receive_with_timeout(ClientMessage, 5.0)
    assert isinstance(raised.value, TimeoutError)
    assert trio.current_time() == pytest.approx(5.0)
    with pytest.raises(OperationTimeout):
        await server.receive_with_timeout(ClientMessage, 0)
    with pytest.raises(OperationTimeout):
        await server.receive_with_timeout(ClientMessage)
    assert trio.current_time() == pytest.approx(125.0)
    with pytest.raises(InvalidSpec):
        await server.receive_with_timeout(ClientMessage, -1)
    await here.send(b"{")
    with pytest.raises(DecodeError):
        await server.receive_with_timeout(ClientMessage, 1.0)
    await here.close()
    assert not client.is_connected()
    with pytest.raises(ConnectionError):
        await client.send_with_timeout(BEAT)
    with pytest.raises(ConnectionError):
        await server.receive_with_timeout(ClientMessage)


@virtual
async def test_messages_go_to_the_protocols_handlers() -> None:
    here, _ = MemoryTransport.pair()
    protocol = AIPProtocol(here)
    endpoint = AIPEndpoint(protocol)
    with pytest.raises(NoHandler):
        await endpoint.handle_message(BEAT)
    seen: list[WireModel] = []

    async def handle(message: WireModel) -> None:
        seen.append(message)

    protocol.register_handler("heartbeat", handle)
    await endpoint.handle_message(BEAT)
    await endpoint.handle_message(ServerMessage(type=ServerMessageType.HEARTBEAT, status=TaskStatus.OK))
    assert len(seen) == 2


@virtual
async def test_without_a_protocol_calls_say_what_is_missing() -> None:
    endpoint = AIPEndpoint()
    assert not endpoint.is_connected()
    for call in (
        endpoint.handle_message(BEAT),
        endpoint.send_with_timeout(BEAT),
        endpoint.receive_with_timeout(ServerMessage),
        endpoint.reconnect_device("dev-1"),
        endpoint.stopped(),
    ):
        with pytest.raises(EndpointNotRunning, match="AIPEndpoint"):
            await call
    await endpoint.stop()
    await endpoint.on_device_disconnected("dev-1")
    with pytest.raises(EndpointNotRunning):
        endpoint.ref  # noqa: B018
    with pytest.raises(EndpointNotRunning):
        endpoint.system  # noqa: B018


@virtual
async def test_what_a_subclass_overrides_is_called() -> None:
    called: list[tuple[str, str]] = []

    class Own(AIPEndpoint):
        async def cancel_device_tasks(self, device_id: str, reason: str) -> None:
            called.append((device_id, reason))
            await super().cancel_device_tasks(device_id, reason)

    await Own().on_device_disconnected("dev-1")
    assert called == [("dev-1", "device_disconnected")]


def test_the_seed_s_path_to_it_leads_to_the_same_class() -> None:
    from aip_trio.endpoints import base

    assert base.AIPEndpoint is AIPEndpoint
