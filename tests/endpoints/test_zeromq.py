"""Fleets over ZeroMQ: an endpoint runs over it by its URL alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio

from aip_trio.actors import ActorSystem, open_system
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    ExecutionResult,
)
from aip_trio.errors import AddressInUse, ConnectFailed, EndpointNotRunning, HandshakeRefused, InvalidUrl
from aip_trio.transport import WebSocketTransport, transport_for
from aip_trio.transport.zeromq import CurveClient, CurveKeys, CurveServer, Kind, ZeroMQSocket, ZeroMQTransport
from tests.endpoints.support import Worker, living, quick, until, unused_port
from tests.transport.zeromq.relay import Relay

TCP = "tcp://127.0.0.1:0"


@pytest.fixture
def folder() -> Generator[str]:
    """One whose name is short enough for the addresses of files in it."""
    with tempfile.TemporaryDirectory(prefix="aip") as path:
        yield path


@asynccontextmanager
async def steady(seconds: float = 30.0) -> AsyncGenerator[ActorSystem]:
    """As `patient`, in a run that has ZeroMQ's own tasks already, which live as long as the run.

    What reads a socket's monitor ends when libzmq's thread has closed that, which is a moment later.
    """
    async with ZeroMQSocket(Kind.PULL, curve=CurveServer(CurveKeys.generate().secret)):
        pass
    with trio.fail_after(seconds):
        tasks = living()
        async with open_system() as system:
            yield system
        await until(lambda: living() == tasks)


@asynccontextmanager
async def orchestrator(
    url: str, device_id: str = "dev-1", **options: object
) -> AsyncGenerator[ConstellationEndpoint]:
    orch = ConstellationEndpoint("orch", reconnection_strategy=quick(), **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await orch.start()
    await orch.connect_to_device(AgentProfile(device_id=device_id, server_url=url))
    yield orch
    await orch.stop()


def relay_has(relay: Relay, connections: int) -> bool:
    return relay.connections >= connections


async def task(orch: ConstellationEndpoint, *tools: str) -> ExecutionResult:
    commands = [{"tool_name": tool} for tool in tools]
    return await orch.send_task_to_device("dev-1", {"metadata": {"commands": commands}, "timeout": 20})


@pytest.mark.parametrize("scheme", ["tcp", "ipc", "inproc"])
@pytest.mark.trio
async def test_a_task_runs_over_zeromq_by_the_url_alone(scheme: str, folder: str) -> None:
    url = {"tcp": TCP, "ipc": f"ipc://{folder}/fleet", "inproc": "inproc://fleet"}[scheme]
    async with steady() as system:
        server = DeviceServerEndpoint(url=url, local=True)
        await server.start()
        assert server.urls == [server.url]
        device = DeviceClientEndpoint(server.url, Worker())
        await device.start()
        async with orchestrator(server.url) as orch:
            result = await task(orch, "look", "touch")
            assert result.completed, result.error
            assert server.statistics().connections == 2
        await device.stop()
        await server.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]


@pytest.mark.trio
async def test_a_server_listens_at_both_and_they_are_one_fleet() -> None:
    async with steady():
        server = DeviceServerEndpoint(port=0, url=TCP)
        await server.start()
        websocket, zeromq = server.urls
        assert server.url == websocket
        device = DeviceClientEndpoint(zeromq, Worker())
        await device.start()
        async with orchestrator(websocket) as orch:
            assert (await task(orch, "look")).completed
        await device.stop()
        await server.stop()


@pytest.mark.parametrize("whose", ["device", "orch"])
@pytest.mark.trio
async def test_a_wire_that_breaks_in_the_middle_of_a_task_is_noticed_by_nobody(whose: str) -> None:
    async with steady():
        server = DeviceServerEndpoint(url=TCP)
        await server.start()
        async with Relay.open(server.url) as relay:
            worker = Worker()
            device = DeviceClientEndpoint(
                relay.url if whose == "device" else server.url, worker, reconnection_strategy=quick()
            )
            await device.start()
            async with orchestrator(relay.url if whose == "orch" else server.url) as orch:
                worker.hold()
                results: list[ExecutionResult] = []
                async with trio.open_nursery() as nursery:

                    async def ask() -> None:
                        results.append(await task(orch, "look", "touch"))

                    nursery.start_soon(ask)
                    await until(lambda: worker.begun)
                    for connections in (2, 3, 4):
                        relay.cut()
                        await until(partial(relay_has, relay, connections))
                        await trio.sleep(0.05)
                    worker.gate.set()
                (result,) = results
                assert result.completed, result.error
                assert [tool for _, tool in worker.begun] == ["look", "touch"]
                assert worker.cancelled == []
            await device.stop()
        await server.stop()


DEVICE = """
import sys, trio
from aip_trio import open_system
from aip_trio.endpoints import DeviceClientEndpoint
from aip_trio.endpoints.tools import ToolClient, ToolRegistry

async def hang() -> str:
    await trio.sleep_forever()
    return ""

async def look() -> str:
    return "seen"

async def main() -> None:
    tools = ToolRegistry()
    tools.add(hang)
    tools.add(look)
    async with open_system():
        device = DeviceClientEndpoint(sys.argv[1], ToolClient("dev-1", tools))
        await device.start()
        print("up", flush=True)
        await device.stopped()

trio.run(main)
"""


def start_device(url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DEVICE, url], stdout=subprocess.PIPE)


@pytest.mark.trio
async def test_a_device_that_is_killed_fails_its_task_and_the_next_one_takes_its_place() -> None:
    async with steady():
        server = DeviceServerEndpoint(url=TCP, resume_window=0.0)
        await server.start()
        with start_device(server.url) as first:
            assert first.stdout is not None
            await trio.to_thread.run_sync(first.stdout.readline)
            async with orchestrator(server.url) as orch:
                results: list[ExecutionResult] = []
                async with trio.open_nursery() as nursery:

                    async def ask() -> None:
                        results.append(await task(orch, "hang"))

                    nursery.start_soon(ask)
                    await until(lambda: server.sessions_of("dev-1"))
                    os.kill(first.pid, signal.SIGKILL)
                    with trio.fail_after(5):  # not a matter of pings
                        await until(lambda: not server.devices)
                assert [result.error for result in results] == ["device_disconnected"]
                with start_device(server.url) as second:
                    assert second.stdout is not None
                    await trio.to_thread.run_sync(second.stdout.readline)
                    await orch.connect_to_device(orch.devices["dev-1"])
                    assert (await task(orch, "look")).completed
                    second.kill()
        await server.stop()


@pytest.mark.trio
async def test_a_token_is_asked_for_and_local_means_this_machine() -> None:
    async with steady():
        server = DeviceServerEndpoint(url=TCP, token="secret", local=True)
        await server.start()
        stranger = DeviceClientEndpoint(server.url, Worker(), max_retries=0)
        with pytest.raises(HandshakeRefused) as raised:
            await stranger.start()
        assert raised.value.status == 401
        device = DeviceClientEndpoint(server.url, Worker(), token="secret")
        await device.start()
        assert server.statistics().refused == {"token": 1}
        await device.stop()
        await server.stop()


@pytest.mark.trio
async def test_a_server_that_stops_says_goodbye(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "aip_trio")
    async with steady():
        server = DeviceServerEndpoint(url=TCP)
        await server.start()
        device = DeviceClientEndpoint(
            server.url, Worker(), subprotocols=("aip.v1",), reconnection_strategy=quick()
        )
        await device.start()
        await server.stop()
        await until(lambda: not device.is_connected())
        await device.stop()
        assert server.statistics().connections == 0


@pytest.mark.trio
async def test_keys_are_asked_for() -> None:
    keys, mine = CurveKeys.generate(), CurveKeys.generate()
    client = CurveClient(keys.public, mine.secret)
    async with steady():
        server = DeviceServerEndpoint(url=TCP, curve=CurveServer(keys.secret, [mine.public]))
        await server.start()
        with pytest.raises(ConnectFailed):
            await DeviceClientEndpoint(server.url, Worker(), max_retries=0).start()
        device = DeviceClientEndpoint(server.url, Worker(), curve=client)
        await device.start()
        async with orchestrator(server.url, curve=client) as orch:
            assert (await task(orch, "look")).completed
        await device.stop()
        await server.stop()


@pytest.mark.trio
async def test_an_address_that_is_taken_is_an_error_and_the_websocket_is_not_left_open() -> None:
    async with steady():
        first = DeviceServerEndpoint(url=TCP)
        await first.start()
        port = await unused_port()
        second = DeviceServerEndpoint(port=port, url=first.url)
        with pytest.raises(AddressInUse):
            await second.start()
        with pytest.raises(EndpointNotRunning):
            second.urls  # noqa: B018
        third = DeviceServerEndpoint(port=port)
        await third.start()
        await third.stop()
        await first.stop()


@pytest.mark.trio
async def test_a_url_of_no_transport_names_those_that_there_are() -> None:
    async with steady():
        with pytest.raises(InvalidUrl, match="ws://, wss://, tcp://, ipc://, inproc://"):
            await DeviceClientEndpoint("http://127.0.0.1:1", Worker()).start()


def test_a_transport_is_picked_by_the_scheme() -> None:
    assert isinstance(transport_for("WSS://host/ws"), WebSocketTransport)
    for url in ("tcp://host:1", "ipc:///x", "inproc://x"):
        assert isinstance(transport_for(url), ZeroMQTransport)


WITHOUT = """
import sys
sys.modules["zmq"] = None
import aip_trio.cli, aip_trio.endpoints, aip_trio.transport
from aip_trio.errors import ZeroMQMissing
aip_trio.transport.transport_for("ws://host/")
try:
    aip_trio.transport.transport_for("tcp://host:1")
except ZeroMQMissing as error:
    print(error)
"""


def test_without_pyzmq_the_rest_works_and_a_url_that_needs_it_names_the_extra() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert "pip install 'aip-trio[zmq]'" in done.stdout
