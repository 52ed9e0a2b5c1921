"""Devices and orchestrators that come in by a route of FastAPI, on real sockets."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import trio
from fastapi import FastAPI, WebSocket
from starlette.types import ASGIApp
from trio_websocket import ConnectionRejected
from websockets.sync.client import ClientConnection, connect

from aip_trio.actors import open_system
from aip_trio.actors._groups import bare as unwrapped
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    Limits,
    Session,
)
from aip_trio.web import serve_app
from tests.endpoints.peer import Ended, Mute, device, orchestrator, peer
from tests.endpoints.support import Worker, action, living, quick, sockets, until
from tests.transport.asgi import hypercorn

Serving = Callable[[ASGIApp], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def ours(app: ASGIApp) -> AsyncGenerator[str]:
    """Our server."""
    async with trio.open_nursery() as nursery:
        server = await serve_app(app, nursery=nursery, graceful_timeout=1.0)
        yield server.url.replace("http", "ws") + "/ws"
        await server.close()


def seed_000(endpoint: DeviceServerEndpoint) -> FastAPI:
    """Seed 000, "Integration with FastAPI"."""
    app = FastAPI()

    @app.websocket("/ws")
    async def websocket_route(websocket: WebSocket) -> None:
        await endpoint.handle_websocket(websocket)

    return app


def seed_001(endpoint: DeviceServerEndpoint) -> FastAPI:
    """As seed 001 has it: the route accepts by itself."""
    app = FastAPI()

    @app.websocket("/ws")
    async def websocket_route(websocket: WebSocket) -> None:
        await websocket.accept()
        await endpoint.handle_websocket(websocket)

    return app


@asynccontextmanager
async def behind(
    app_of: Callable[[DeviceServerEndpoint], FastAPI] = seed_000, serving: Serving = ours, **options: Any
) -> AsyncGenerator[tuple[DeviceServerEndpoint, str]]:
    """A server endpoint in a system, and the URL of its route; nothing is left of either."""
    with trio.fail_after(20):
        tasks, open_before = living(), sockets()
        async with open_system():
            endpoint = DeviceServerEndpoint(**options)
            await endpoint.start()
            async with serving(app_of(endpoint)) as url:
                yield endpoint, url
            await endpoint.stop()
        assert living() == tasks, "a task is left"
        assert sockets() == open_before, "a socket is left"


async def greet(session: Session) -> str:
    (result,) = await session.execute(action("hello"))
    return f"{session.device_id}: {result.result}"


async def status(url: str, *headers: tuple[str, str]) -> tuple[int, bytes]:
    """What a handshake is answered with."""
    try:
        async with peer(url, headers=headers):
            return 101, b""
    except BaseExceptionGroup as group:
        error = unwrapped(group)
        assert isinstance(error, ConnectionRejected)
        return error.status_code, error.body or b""


@pytest.mark.trio
@pytest.mark.parametrize("serving", [ours, hypercorn], ids=["ours", "hypercorn"])
@pytest.mark.parametrize("app_of", [seed_000, seed_001])
async def test_a_task_from_end_to_end_and_the_goodbyes(
    app_of: Callable[[DeviceServerEndpoint], FastAPI], serving: Serving
) -> None:
    async with behind(app_of, serving, task=greet) as (server, url):
        async with device(url) as client, orchestrator(url) as orch:
            await orch.ask("s1", "dev-1")
            await client.answer(await client.command("s1"), "hi")
            assert (await orch.end("s1"))["result"] == "dev-1: hi"
            assert (await client.end("s1"))["status"] == "completed"
            async with peer(url) as wrong:
                await wrong.send("heartbeat")
                await wrong.refused(closed=True)
            await orch.ask("s2", "dev-1")
            await client.command("s2")
            async with device(url, "dev-2") as other:
                await other.cut()
            await until(lambda: list(server.devices) == ["dev-1"])
            await until(lambda: server.statistics().connections == 2)
            await server.stop()
            for each in (client, orch):
                frames, code = await each.rest()
                assert frames[-1]["error"] == "server_stopping"
                assert code == 1001


@pytest.mark.trio
@pytest.mark.parametrize("serving", [ours, hypercorn], ids=["ours", "hypercorn"])
async def test_our_own_clients_speak_the_resumable_link_over_it(serving: Serving) -> None:
    worker = Worker()
    async with behind(serving=serving, task=greet) as (server, url):
        client = DeviceClientEndpoint(url, worker, reconnection_strategy=quick())
        await client.start()
        orchestrator_end = ConstellationEndpoint("t")
        await orchestrator_end.start()
        await orchestrator_end.connect_to_device(AgentProfile(device_id="dev-1", server_url=url))
        result = await orchestrator_end.send_task_to_device("dev-1", {"request": "greet"})
        assert "hello" in result.result
        assert len(server.devices) == 1
        await orchestrator_end.stop()
        await client.stop()


@pytest.mark.trio
@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_plain_client_of_websockets_that_offers_to_compress_or_not(compression: str | None) -> None:
    def talk(url: str) -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = []

        def say(socket: ClientConnection, **fields: Any) -> None:
            socket.send(json.dumps(fields))
            frames.append(json.loads(socket.recv(timeout=5)))

        with connect(url, compression=compression) as socket:
            say(socket, type="register", status="ok", client_id="plain", client_type="device")
            say(socket, type="heartbeat", status="ok", client_id="plain")
            say(socket, type="task", status="continue", client_id="plain", session_id="s", request="r")
            command = frames[-1]
            results = [{"status": "success", "result": "hi", "call_id": command["actions"][0]["call_id"]}]
            say(
                socket,
                type="command_results",
                status="continue",
                client_id="plain",
                session_id="s",
                prev_response_id=command["response_id"],
                action_results=results,
            )
        return frames

    async with behind(task=greet) as (server, url):
        frames = await trio.to_thread.run_sync(talk, url)
        assert [frame["type"] for frame in frames] == ["heartbeat", "heartbeat", "command", "task_end"]
        assert frames[-1]["result"] == "plain: hi"
        await until(lambda: not server.is_connected())


@pytest.mark.trio
@pytest.mark.parametrize("serving", [ours, hypercorn], ids=["ours", "hypercorn"])
async def test_the_rules_of_the_servers_own_door(serving: Serving) -> None:
    bearer = ("Authorization", "Bearer s3cret")
    async with behind(serving=serving, token="s3cret") as (server, url):
        code, body = await status(url)
        assert (code, b"is missing" in body) == (401, True)
        assert (await status(url, ("Authorization", "Bearer wrong")))[0] == 401
        assert await status(url, bearer) == (101, b"")
        for origin in ("https://evil.example", "null", "http://127.0.0.1"):
            assert (await status(url, bearer, ("Origin", origin)))[0] == 403
        assert (await status(url.replace("127.0.0.1", "localhost"), bearer))[0] == 101
        port = int(url.split(":")[2].split("/")[0])
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(
                b"GET /ws HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
                b"Authorization: Bearer s3cret\r\n\r\n"
            )
            assert b" 403 " in await stream.receive_some(1000)
        assert server.statistics().refused == {"token": 2, "origin": 3, "host": 1}
        async with peer(url, headers=[bearer]) as client:
            await client.register("dev-1")
            assert list(server.devices) == ["dev-1"]


@pytest.mark.trio
async def test_a_page_that_is_allowed_comes_in_and_a_name_that_is_allowed_is_served() -> None:
    page = "https://panel.example"
    async with behind(allowed_origins=[page], allowed_hosts=["localhost"]) as (_, url):
        assert (await status(url, ("Origin", page)))[0] == 403  # of host 127.0.0.1
        named = url.replace("127.0.0.1", "localhost")
        assert (await status(named, ("Origin", page)))[0] == 101
        assert (await status(named, ("Origin", "https://evil.example")))[0] == 403


@pytest.mark.trio
async def test_who_was_accepted_before_the_rules_were_asked_is_closed_with_1008() -> None:
    async with behind(seed_001, token="s3cret") as (server, url):
        async with peer(url) as client:
            with pytest.raises(Ended) as ended:
                await client.receive()
            assert ended.value.code == 1008
        assert server.statistics().refused == {"token": 1}


@pytest.mark.trio
async def test_limits_hold_and_a_local_server_takes_its_own_machine() -> None:
    async with behind(limits=Limits(connections=1), local=True) as (_, url), device(url) as client:
        code, body = await status(url)
        assert (code, b"1 connections" in body) == (503, True)
        await client.heartbeat()
    limits = Limits(connections_per_address=1, uncounted_addresses=())
    async with behind(limits=limits) as (server, url):
        for _ in range(3):
            async with device(url) as client:
                assert (await status(url))[0] == 429
                await client.close()
            await until(lambda: not server.statistics().connections)


@pytest.mark.trio
async def test_a_message_beyond_the_limit_ends_its_connection_alone() -> None:
    async with behind(limits=Limits(message_size=1000)) as (_, url), device(url) as client:
        async with device(url, "dev-2") as large:
            await large.send("heartbeat", padding="x" * 1000)
            assert await large.closed() == 1009
        await client.heartbeat()


@pytest.mark.trio
async def test_after_the_end_of_the_server_a_client_is_told_503_and_before_its_start_it_is_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with behind() as (server, url):
        async with peer(url) as unregistered:
            await until(lambda: server.statistics().connections)
            await server.stop()
            assert await unregistered.closed() == 1001
        assert await status(url) == (503, b"the server is going away")
    assert not caplog.records
    async with ours(seed_000(DeviceServerEndpoint())) as url:
        assert (await status(url))[0] == 500
    assert "EndpointNotRunning" in caplog.text


@pytest.mark.trio
async def test_a_ghost_is_replaced_and_one_that_answers_a_ping_stays() -> None:
    async with behind(ghost_timeout=0.3) as (server, url):
        async with Mute.open(url, "ghost") as mute, device(url, "alive") as alive:
            async with peer(url) as impostor:
                await impostor.send("register", client_id="alive", client_type="device")

                async def stay() -> None:  # its library answers pings while it reads
                    with pytest.raises(Ended):
                        await alive.receive()

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(stay)
                    assert "connected already" in await impostor.refused(closed=True)
                    async with device(url, "ghost") as heir:
                        await heir.heartbeat()
                        assert set(server.devices) == {"alive", "ghost"}
                    await alive.close()
            with trio.fail_after(1):  # its socket is closed, and not only forgotten
                while await mute.stream.receive_some():
                    pass


@pytest.mark.trio
async def test_behind_plain_asgi_who_says_nothing_in_time_is_a_ghost_and_who_says_something_stays() -> None:
    async with behind(serving=hypercorn) as (_, url), device(url) as first, peer(url) as second:
        await second.send("register", client_id="dev-1", client_type="device")
        await trio.sleep(0.1)
        await first.heartbeat()
        await second.refused(closed=True)
    async with behind(serving=hypercorn, ghost_timeout=0.3) as (_, url), device(url) as first:
        async with device(url) as third:
            assert await first.closed() in (1000, 1006)
            await third.heartbeat()


@pytest.mark.trio
async def test_who_falls_silent_is_cut_off() -> None:
    async with behind(ping_interval=0.05, ping_timeout=0.6) as (server, url):
        async with Mute.open(url, "mute") as mute, device(url, "alive") as alive:
            async with trio.open_nursery() as nursery:

                async def listen() -> None:
                    with pytest.raises(Ended):
                        await alive.receive()

                nursery.start_soon(listen)
                await until(lambda: list(server.devices) == ["alive"])
                await trio.sleep(0.8)  # pongs are signs of life
                assert list(server.devices) == ["alive"]
                await alive.cut()  # trio-websocket's own close crashes of a ping that comes meanwhile
            with trio.fail_after(1):
                while await mute.stream.receive_some():
                    pass


@pytest.mark.trio
@pytest.mark.parametrize("serving", [ours, hypercorn], ids=["ours", "hypercorn"])
async def test_the_framework_goes_first(serving: Serving) -> None:
    """Without a word to the endpoint: its clients hear a goodbye all the same."""
    codes: list[int] = []
    with trio.fail_after(10):
        async with open_system():
            server = DeviceServerEndpoint()
            await server.start()
            async with trio.open_nursery() as nursery:
                async with serving(seed_000(server)) as url:
                    registered = trio.Event()

                    async def stay() -> None:
                        async with device(url) as client:
                            registered.set()
                            codes.append(await client.closed())

                    nursery.start_soon(stay)
                    await registered.wait()
            assert codes == [1001]
            assert not server.is_connected()
            await server.stop()


@pytest.mark.trio
async def test_a_client_that_does_not_read_holds_up_nobody_and_no_stop() -> None:
    async def flood(session: Session) -> None:
        await session.execute(action("take", data="x" * 8_000_000))

    began = trio.current_time()
    async with behind(task=flood, ping_timeout=60) as (_, url):
        async with Mute.open(url, "mute"), device(url) as client, orchestrator(url, target="mute") as orch:
            await orch.ask("s1", "mute")
            await trio.sleep(0.1)
            await client.heartbeat()
            await orch.heartbeat()
    assert trio.current_time() - began < 15


def test_nothing_of_it_is_imported_unless_it_is_used() -> None:
    import subprocess

    code = "import aip_trio.endpoints, sys; print({'starlette', 'hypercorn', 'fastapi'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
