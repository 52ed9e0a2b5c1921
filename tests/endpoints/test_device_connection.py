"""The connections of a DeviceClientEndpoint: the first one, lost ones, and the end of them."""

import pytest
import trio

from aip_trio.endpoints import ClientState, DeviceClientEndpoint
from aip_trio.errors import (
    ConnectFailed,
    EndpointNotRunning,
    HandshakeRefused,
    InvalidMessage,
    InvalidUrl,
    NoSystem,
    OperationTimeout,
    RegistrationRefused,
    TransportError,
)
from aip_trio.messages import (
    ClientMessage,
    ClientMessageType,
    ServerMessage,
    ServerMessageType,
    TaskStatus,
)
from tests.endpoints.device_end import commands, connected, state
from tests.endpoints.peer import PlainServer
from tests.endpoints.support import Worker, patient, quick, serving, until, unused_port


@pytest.mark.trio
async def test_it_comes_to_a_server_that_is_not_there_yet() -> None:
    port = await unused_port()
    async with patient():
        endpoint = DeviceClientEndpoint(f"ws://127.0.0.1:{port}/ws", Worker(), reconnection_strategy=quick())
        started = trio.Event()

        async def start() -> None:
            await endpoint.start()
            started.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(start)
            await until(lambda: state(endpoint) is ClientState.CONNECTING)
            async with PlainServer.open(port) as plain:
                server, _ = await plain.registered()
                await started.wait()
                assert endpoint.is_connected()
                await endpoint.stop()
                await server.closed()


@pytest.mark.trio
async def test_its_start_raises_the_last_connection_error_when_its_retries_are_used_up() -> None:
    port = await unused_port()
    async with patient() as system:
        endpoint = DeviceClientEndpoint(f"ws://127.0.0.1:{port}/ws", Worker(), reconnection_strategy=quick(2))
        with pytest.raises(ConnectFailed, match=str(port)):
            await endpoint.start()
        assert state(endpoint) is ClientState.STOPPED
        assert [node.path for node in system.tree().walk()] == ["/"]
        await endpoint.stop()
        with pytest.raises(EndpointNotRunning):
            await endpoint.stopped()


@pytest.mark.trio
async def test_a_refused_registration_is_tried_again_and_then_raised_with_its_reason() -> None:
    async with patient() as system, PlainServer.open() as plain:
        endpoint = DeviceClientEndpoint(plain.url, Worker(), reconnection_strategy=quick(1))

        async def refuse(times: int) -> None:
            for _ in range(times):
                server = await plain.accept()
                await server.receive("register")
                await server.send("error", "error", error="not today")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(refuse, 2)
            with pytest.raises(RegistrationRefused, match="not today") as raised:
                await endpoint.start()
        assert isinstance(raised.value, ConnectionError)
        assert [node.path for node in system.tree().walk()] == ["/"]


@pytest.mark.trio
@pytest.mark.parametrize("answer", ["silence", "nonsense", "task", "end", "cut"])
async def test_a_server_that_answers_with_something_else_is_a_connection_error(answer: str) -> None:
    async with patient(), PlainServer.open() as plain:
        endpoint = DeviceClientEndpoint(plain.url, Worker(), timeout=0.1, reconnection_strategy=quick(0))

        async def behave() -> None:
            server = await plain.accept()
            await server.receive("register")
            if answer == "nonsense":
                await server.wire.send("{")
            elif answer == "task":
                await server.send("task", "continue", user_request="x")
            elif answer == "end":
                await server.close(1013)
            elif answer == "cut":
                await server.cut()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(behave)
            with pytest.raises(ConnectionError) as raised:
                await endpoint.start()
        assert isinstance(raised.value, (RegistrationRefused, TransportError))


@pytest.mark.trio
async def test_a_wrong_token_is_told_apart() -> None:
    async with serving(token="s3cret") as real:
        endpoint = DeviceClientEndpoint(real.url, Worker(), token="wrong", reconnection_strategy=quick(0))
        with pytest.raises(HandshakeRefused) as raised:
            await endpoint.start()
        assert raised.value.status == 401
        assert "s3cret" not in str(raised.value)
        assert "wrong" not in repr(endpoint._dial)
        right = DeviceClientEndpoint(real.url, Worker(), token="s3cret")
        await right.start()
        assert right.is_connected()
        assert list(real.devices) == ["dev-1"]
        await right.stop()


@pytest.mark.trio
@pytest.mark.parametrize("url", ["", "nonsense", "http://127.0.0.1/ws", "ws://", "ws://127.0.0.1:0x/ws"])
async def test_a_url_that_is_none_is_the_callers_mistake_and_not_tried_again(url: str) -> None:
    async with patient() as system:
        endpoint = DeviceClientEndpoint(url, Worker(), reconnection_strategy=quick())
        with pytest.raises(InvalidUrl):
            await endpoint.start()
        assert [node.path for node in system.tree().walk()] == ["/"]


@pytest.mark.trio
async def test_it_needs_a_system() -> None:
    endpoint = DeviceClientEndpoint("ws://127.0.0.1:1/ws", Worker())
    with pytest.raises(NoSystem):
        await endpoint.start()


@pytest.mark.trio
async def test_a_lost_connection_is_made_again_and_its_tasks_are_forgotten() -> None:
    worker = Worker()
    worker.hold()
    lost: list[str] = []

    class Watched(DeviceClientEndpoint):
        async def on_device_disconnected(self, device_id: str) -> None:
            lost.append(device_id)
            await super().on_device_disconnected(device_id)

    async with patient() as system, PlainServer.open() as plain:
        endpoint = Watched(plain.url, worker, reconnection_strategy=quick())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            server, _ = await plain.registered()
        for orderly in (False, True, False):
            worker.hold()
            await server.send("command", "continue", **commands("s1", "a", "b"))
            await until(lambda: len(worker.begun) == len(lost) + 1)
            before = len(lost)
            if orderly:
                await server.close(1001)
            else:
                await server.cut()
            server = await plain.accept()
            await server.receive("register")
            assert not endpoint.is_connected()
            assert state(endpoint) is ClientState.RECONNECTING
            assert len(lost) == before + 1
            await server.send("heartbeat", response_id="welcome")
            await until(endpoint.is_connected)
            assert worker.cancelled == ["s1"] * len(lost)
        worker.gate.set()
        await server.send("command", "continue", **commands("s2", "c"))
        assert (await server.receive("command_results"))["session_id"] == "s2"
        assert lost == ["dev-1"] * 3
        assert [path for path, *_ in worker.begun] == ["s1"] * 3 + ["s2"]
        await endpoint.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]
        assert lost == ["dev-1"] * 3


@pytest.mark.trio
async def test_what_was_pushed_without_a_connection_is_sent_with_the_next() -> None:
    async with connected(metadata={"n": 1}) as (endpoint, server, plain):
        await server.cut()
        await until(lambda: not endpoint.is_connected())
        server = await plain.accept()
        await server.receive("register")
        await endpoint.push_device_info()
        await server.send("heartbeat", response_id="welcome")
        assert (await server.receive("device_info_response"))["metadata"] == {"n": 1}


@pytest.mark.trio
async def test_a_hook_that_raises_or_takes_its_time_harms_nobody() -> None:
    gate = trio.Event()
    called: list[str] = []

    class Watched(DeviceClientEndpoint):
        async def on_device_disconnected(self, device_id: str) -> None:
            called.append(device_id)
            if len(called) == 1:
                raise RuntimeError("of no concern")
            await gate.wait()

    async with patient(), PlainServer.open() as plain:
        endpoint = Watched(plain.url, Worker(), reconnection_strategy=quick())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            server, _ = await plain.registered()
        for number in (1, 2):
            await server.cut()
            server, _ = await plain.registered()
            await until(lambda number=number: len(called) == number)  # type: ignore[misc]
            await until(endpoint.is_connected)  # the truth, though a hook still runs
            await server.send("command", "continue", **commands("s1", "a"))
            await server.receive("command_results")
        gate.set()
        await endpoint.stop()


@pytest.mark.trio
async def test_it_gives_up_in_the_end_and_who_waits_for_it_is_told() -> None:
    async with patient() as system:
        async with PlainServer.open() as plain:
            endpoint = DeviceClientEndpoint(plain.url, Worker(), reconnection_strategy=quick(2))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(endpoint.start)
                await plain.registered()
        await endpoint.stopped()
        assert state(endpoint) is ClientState.STOPPED
        assert not endpoint.is_connected()
        assert [node.path for node in system.tree().walk()] == ["/"]
        with pytest.raises(EndpointNotRunning):
            await endpoint.push_device_info()


@pytest.mark.trio
async def test_stop_ends_a_start_that_still_tries() -> None:
    port = await unused_port()
    async with patient() as system:
        endpoint = DeviceClientEndpoint(f"ws://127.0.0.1:{port}/ws", Worker(), reconnection_strategy=quick())
        raised: list[BaseException] = []

        async def start() -> None:
            try:
                await endpoint.start()
            except ConnectionError as error:
                raised.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(start)
            await until(lambda: state(endpoint) is ClientState.CONNECTING)
            await endpoint.stop()
            assert state(endpoint) is ClientState.STOPPED
        assert len(raised) == 1
        assert [node.path for node in system.tree().walk()] == ["/"]


@pytest.mark.trio
async def test_it_reconnects_at_once_when_it_is_told_to() -> None:
    async with connected() as (endpoint, server, plain):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.reconnect_device, "dev-1")
            assert await server.closed() == 1000
            server, _ = await plain.registered()
        assert endpoint.is_connected()
        await server.send("command", "continue", **commands("s1", "a"))
        await server.receive("command_results")


@pytest.mark.trio
async def test_a_reconnection_that_fails_raises_and_the_next_one_may_succeed() -> None:
    async with connected() as (endpoint, _, plain):

        async def refuse() -> None:
            server = await plain.accept()
            await server.receive("register")
            await server.send("error", "error", error="not now")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(refuse)
            with pytest.raises(RegistrationRefused, match="not now"):
                await endpoint.reconnect_device("dev-1")
        assert not endpoint.is_connected()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.reconnect_device, "dev-1")
            await plain.registered()
        assert endpoint.is_connected()


@pytest.mark.trio
async def test_messages_by_hand() -> None:
    worker = Worker()
    async with connected(worker) as (endpoint, server, _):
        beat = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK)
        await endpoint.send_with_timeout(beat, 1.0)
        assert (await server.receive("heartbeat"))["client_id"] == "dev-1"

        got: list[ServerMessage] = []

        async def receive() -> None:
            got.append(await endpoint.receive_with_timeout(ServerMessage, 5.0))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            nursery.start_soon(receive)
            await trio.testing.wait_all_tasks_blocked()
            await server.send("command", "continue", **commands("s1", "a"))
        assert [message.type for message in got] == [ServerMessageType.COMMAND] * 2
        await server.receive("command_results")  # it was acted on all the same

        ended = ServerMessage(type=ServerMessageType.HEARTBEAT, status=TaskStatus.OK)
        await endpoint.handle_message(ended)
        with pytest.raises(OperationTimeout):
            await endpoint.receive_with_timeout(ServerMessage, 0.01)
        for wrong in (
            endpoint.send_with_timeout(ended),
            endpoint.handle_message(beat),
            endpoint.receive_with_timeout(ClientMessage, 0.01),
        ):
            with pytest.raises(InvalidMessage):
                await wrong


@pytest.mark.trio
async def test_calls_without_a_connection() -> None:
    endpoint = DeviceClientEndpoint("ws://127.0.0.1:1/ws", Worker())
    message = ClientMessage(type=ClientMessageType.HEARTBEAT, status=TaskStatus.OK)
    for call in (
        endpoint.push_device_info(),
        endpoint.send_with_timeout(message),
        endpoint.reconnect_device("dev-1"),
        endpoint.stopped(),
    ):
        with pytest.raises(EndpointNotRunning):
            await call
    await endpoint.cancel_device_tasks("dev-1", "no reason")
    assert not endpoint.is_connected()


@pytest.mark.trio
async def test_two_devices_live_side_by_side_in_one_system() -> None:
    async with patient() as system, PlainServer.open() as plain:
        one, two = (DeviceClientEndpoint(plain.url, Worker(name)) for name in ("dev-1", "dev-2"))
        names: set[str] = set()
        for endpoint in (one, two):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(endpoint.start)
                _, register = await plain.registered()
                names.add(register["client_id"])
        assert names == {"dev-1", "dev-2"}
        assert len(system.tree().children) == 2
        await one.stop()
        assert two.is_connected()
        await two.stop()
