"""Peers that take their time, on purpose: each costs one connection, and nobody else notices."""

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio

from aip_trio.endpoints import DeviceServerEndpoint, Limits, Session
from aip_trio.errors import PeerTooSlow, TransportError
from aip_trio.transport import WebSocketTransport, serve_websocket
from tests.endpoints.peer import Peer, device, orchestrator
from tests.endpoints.support import action, patient, serving, until
from tests.security.attacker import attacker, frame, head, intruder, message
from tests.security.certificates import Authority

pytestmark = pytest.mark.trio

MIB = 1 << 20


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that takes too little is thrown out after a second, not after five; goodbyes are short, too."""
    monkeypatch.setattr("aip_trio.transport._outbox._PATIENCE", 1.0)
    monkeypatch.setattr("aip_trio.endpoints.server._listener._GOODBYE", 0.5)


@asynccontextmanager
async def heard_within(client: Peer, seconds: float) -> AsyncGenerator[None]:
    """While the block runs, this client has an answer to each heartbeat within so many seconds."""
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:

            async def beat() -> None:
                while True:
                    with trio.fail_after(seconds):
                        await client.heartbeat()
                    await trio.sleep(0.02)

            nursery.start_soon(beat)
            yield
            scope.cancel()


@pytest.mark.parametrize(
    "said", [b"", b"GET /ws HTTP/1.1\r\n", head()[:-1]], ids=["nothing", "a line", "almost all"]
)
async def test_a_head_that_never_ends_is_cut_off(said: bytes) -> None:
    async with patient():
        server = await serve_websocket(WebSocketTransport.wait_closed, handshake_timeout=0.3)
        async with attacker(server.port) as it, trio.open_nursery() as nursery:

            async def drip() -> None:
                for number in range(len(said)):
                    await it.flood(said[number : number + 1])
                    await trio.sleep(0.05)

            nursery.start_soon(drip)
            with trio.fail_after(1.5):
                await it.ended()
            nursery.cancel_scope.cancel()
        assert server.statistics().failed == 1
        await server.close()


async def test_a_first_frame_that_never_ends_is_cut_off_and_told_why() -> None:
    async with serving(registration_timeout=0.3) as server, attacker(server.port) as it:
        await it.write(head())
        assert await it.status() == 101
        register = message("register", client_id="dev-1")

        async def drip() -> None:
            for number in range(len(register)):
                await it.flood(register[number : number + 1])
                await trio.sleep(0.05)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drip)
            with trio.fail_after(2):
                assert "0.3 s" in (await it.answer())["error"]
            nursery.cancel_scope.cancel()
        assert server.statistics().refused == {"registration": 1}


@asynccontextmanager
async def besieged() -> AsyncGenerator[DeviceServerEndpoint]:
    """A server with time for thousands."""
    async with patient(40):
        server = DeviceServerEndpoint(port=0, registration_timeout=60, limits=Limits(connections=2050))
        await server.start()
        yield server
        await server.stop()


async def test_two_thousand_that_never_come_to_the_point_are_not_noticed_by_those_who_did() -> None:
    """A third of them says nothing, one is in the middle of its request, one has not registered."""
    pieces = (b"", head()[:40], head() + frame(1, b'{"type": "regi', size=1000))
    async with (
        besieged() as server,
        device(server.url) as client,
        orchestrator(server.url) as orch,
        heard_within(client, 2.0),
        trio.open_nursery() as nursery,
    ):
        limiter = trio.CapacityLimiter(100)
        streams: list[trio.SocketStream] = []

        async def loiter(number: int) -> None:
            async with limiter:
                stream = await trio.open_tcp_stream("127.0.0.1", server.port)
                streams.append(stream)
                await stream.send_all(pieces[number % 3])

        async with trio.open_nursery() as all_of_them:
            for number in range(2000):
                all_of_them.start_soon(loiter, number)
        with trio.fail_after(35):
            await until(lambda: server.statistics().connections >= 2002)
            await orch.heartbeat()
        for stream in streams:
            await trio.aclose_forcefully(stream)
        nursery.cancel_scope.cancel()


async def test_a_tls_handshake_that_never_ends_is_cut_off() -> None:
    authority = Authority()
    async with patient():
        server = await serve_websocket(
            WebSocketTransport.wait_closed, ssl_context=authority.server(), handshake_timeout=0.3
        )
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 20
        for said in (b"", hello):
            async with attacker(server.port) as it:
                await it.write(said)
                with trio.fail_after(1.5):
                    await it.ended()
        assert server.statistics().failed == 2
        await server.close()


async def test_who_does_not_read_what_waits_for_him_is_thrown_out_and_the_sender_told() -> None:
    ended: list[TransportError] = []

    async def talk(transport: WebSocketTransport) -> None:
        async def say() -> None:
            try:
                while True:
                    await transport.send(b"x" * MIB)
            except TransportError as error:
                ended.append(error)

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(say)
            try:
                await transport.receive()
            except TransportError as error:
                ended.append(error)

    async with patient(12):
        server = await serve_websocket(talk, queued_bytes=2 * MIB, ping_timeout=None, ping_interval=None)
        async with attacker(server.port, small=True) as it:
            await it.write(head())
            began = trio.current_time()
            await until(lambda: len(ended) == 5)
            assert trio.current_time() - began >= 1
        assert all(isinstance(error, PeerTooSlow) for error in ended)
        assert len({id(error) for error in ended}) == 5
        await until(lambda: not server.statistics().connections)
        await server.close()


async def test_who_reads_slowly_but_steadily_is_not_thrown_out() -> None:
    """A message beyond the limit that goes out by and by, and another behind it."""
    size = 4 * MIB

    async def talk(transport: WebSocketTransport) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(transport.send, b"x" * size)
        await transport.wait_closed()

    async with patient(15):
        server = await serve_websocket(talk, queued_bytes=MIB)
        async with attacker(server.port, small=True) as it:
            await it.write(head())
            assert await it.status() == 101
            began = trio.current_time()
            for _ in range(2):
                opcode, payload = await slowly(it.stream, size, 0.8)
                assert (opcode, payload) == (1, size)
            assert trio.current_time() - began > 1.2  # longer than one has who takes nothing
        await server.close()


async def slowly(stream: trio.SocketStream, size: int, seconds: float) -> tuple[int, int]:
    """Read a long frame within about so many seconds."""
    header = b""
    while len(header) < 10:
        header += await stream.receive_some(10 - len(header))
    left, steps = size, 30
    for _ in range(steps):
        await trio.sleep(seconds / steps)
        part = min(left, math.ceil(size / steps))
        while part:
            data = await stream.receive_some(part)
            assert data
            part -= len(data)
            left -= len(data)
    return header[0] & 0x0F, size - left


async def chatter(session: Session) -> str:
    """Sends its device half a megabyte in each of three commands."""
    for _ in range(3):
        await session.execute(action("take", data="x" * (MIB // 2)))
    return "done"


async def test_a_device_that_does_not_read_costs_its_own_tasks_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = Limits(queued_bytes=2 * MIB)
    async with (
        serving(task=chatter, limits=limits, ping_timeout=60) as server,
        intruder(server.port, "stuck", small=True) as _,
        device(server.url, "well") as well,
        orchestrator(server.url, target=None) as orch,
        orchestrator(server.url, "other", target=None) as other,
    ):
        for number in range(8):
            await orch.ask(f"stuck-{number}", "stuck")
        async with heard_within(other, 1.0):
            for number in range(3):
                await orch.ask(f"well-{number}", "well")
                for _ in range(3):
                    await well.answer(await well.command(f"well-{number}"), "taken")
                assert (await orch.end(f"well-{number}"))["status"] == "completed"
                await well.end(f"well-{number}")
            with trio.fail_after(8):
                for _ in range(8):
                    end = await orch.end()
                    assert (end["status"], end["error"]) == ("failed", "device_disconnected")
        assert sorted(server.devices) == ["well"]
        assert server.statistics().slow == 1
    told = [record.getMessage() for record in caplog.records if "was closed" in record.getMessage()]
    assert len(told) == 1
    assert "client stuck" in told[0]
    assert "queued_bytes=2097152" in told[0]


async def test_the_questions_about_a_device_that_does_not_read_hold_up_nobody() -> None:
    """More of them than an orchestrator may have open wait for nothing but their own time."""
    async with (
        serving(task=chatter, info_timeout=0.2, ping_timeout=60) as server,
        intruder(server.port, "stuck", small=True) as _,
        orchestrator(server.url, target=None) as orch,
    ):
        await orch.ask("s1", "stuck")
        await orch.heartbeat()
        for number in range(100):
            await orch.send(
                "device_info_request", client_type="constellation", target_id="stuck", request_id=str(number)
            )
        with trio.fail_after(3):
            for _ in range(100):
                assert (await orch.receive("device_info_response"))["status"] == "error"
            await orch.heartbeat()


async def test_an_orchestrator_that_does_not_read_holds_up_no_device_and_no_one_elses_task() -> None:
    async def report(session: Session) -> str:
        await session.execute(action("look"))
        return "x" * (MIB // 2)

    async with (
        serving(task=report, limits=Limits(queued_bytes=MIB), ping_timeout=60) as server,
        device(server.url) as client,
        intruder(server.port, "stuck", "constellation", small=True, target_id="dev-1") as stuck,
        orchestrator(server.url) as orch,
    ):
        for number in range(6):
            await stuck.write(
                message("task", client_type="constellation", session_id=f"stuck-{number}", request="x")
            )
            await client.answer(await client.command(f"stuck-{number}"), "seen")
            await client.end(f"stuck-{number}")
        await orch.ask("s1", "dev-1")
        await client.answer(await client.command("s1"), "seen")
        assert (await orch.end("s1"))["status"] == "completed"
        await client.end("s1")
        with trio.fail_after(8):
            await until(lambda: server.statistics().slow == 1)
        await client.heartbeat()


async def test_a_stop_waits_for_nobody_who_does_not_read() -> None:
    async with (
        serving(task=chatter, ping_timeout=60) as server,
        intruder(server.port, "stuck", small=True) as _,
        orchestrator(server.url, target=None) as orch,
    ):
        for number in range(4):
            await orch.ask(f"s{number}", "stuck")
        await orch.heartbeat()
        with trio.fail_after(3):
            await server.stop()
