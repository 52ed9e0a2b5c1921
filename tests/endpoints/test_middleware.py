"""Middleware at the endpoints: what it fails on goes no further, and costs no connection and no patience."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio

from aip_trio.actors import open_system
from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    Session,
)
from aip_trio.errors import InvalidSpec, MiddlewareFailed, StartFailed
from aip_trio.messages import WireModel
from aip_trio.protocol import Metrics, MetricsMiddleware, ProtocolMiddleware, RateLimitMiddleware
from aip_trio.transport import MemoryNetwork
from tests.endpoints.memory import Arrivals, fleet, memory_peer, virtual
from tests.endpoints.peer import Peer, peer
from tests.endpoints.support import Worker, action, quick, serving


class Trap(ProtocolMiddleware):
    """Fails on messages of some types, each way."""

    def __init__(self, *, incoming: str = "", outgoing: str = "") -> None:
        self.incoming, self.outgoing = incoming.split(), outgoing.split()

    async def process_outgoing(self, msg: WireModel) -> WireModel:
        return self._look(msg, self.outgoing)

    async def process_incoming(self, msg: WireModel) -> WireModel:
        return self._look(msg, self.incoming)

    def _look(self, msg: WireModel, trapped: list[str]) -> WireModel:
        if str(getattr(msg, "type", "")) in trapped:
            raise KeyError("a secret of the program's")
        return msg


async def two(network: MemoryNetwork) -> tuple[Peer, Peer]:
    """A device, and an orchestrator for it."""
    device, orch = [await memory_peer(network) for _ in range(2)]
    await device.register("dev-1")
    await orch.register("orch", "constellation", target_id="dev-1")
    return device, orch


def blamed(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of middleware."""
    return [
        each.message for each in caplog.records if "Trap" in each.message and each.levelno >= logging.ERROR
    ]


# The server's


@virtual
async def test_what_it_fails_on_is_answered_with_an_error_and_the_connection_lives_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with fleet(middleware=[Trap(incoming="device_info_response")]) as (_, _, network):
        device, _ = await two(network)
        for _ in range(3):
            await device.send("device_info_response", metadata={})
            reason = await device.refused()
            assert reason == "internal error: middleware Trap failed on the device_info_response"
        await device.heartbeat()
    (line,) = blamed(caplog)
    assert "KeyError" in line


@virtual
async def test_an_acknowledgement_that_it_fails_on_is_an_error_instead() -> None:
    trap = Trap()
    async with fleet(middleware=[trap]) as (_, _, network):
        device, _ = await two(network)
        trap.outgoing = ["heartbeat"]
        await device.send("heartbeat")
        assert "Trap failed on the heartbeat" in await device.refused()
        trap.outgoing = []
        await device.heartbeat()


@virtual
async def test_a_task_end_that_it_fails_on_is_a_failed_one_without_its_result() -> None:
    async def secretive(session: Session) -> str:
        return "the result"

    async with fleet(middleware=[Trap(outgoing="task_end")], task=secretive) as (_, _, network):
        device, orch = await two(network)
        await orch.ask("s1", "dev-1")
        for peer in (device, orch):
            end = await peer.end("s1")
            assert (end["status"], end.get("result")) == ("failed", None)
            assert "Trap failed on the task_end" in end["error"]
            await peer.heartbeat()


@virtual
async def test_commands_that_it_fails_on_are_the_task_functions_to_deal_with() -> None:
    raised: list[Exception] = []

    async def stubborn(session: Session) -> str:
        try:
            await session.execute(action("look"))
        except MiddlewareFailed as failed:
            raised.append(failed)
        return "done without"

    async with fleet(middleware=[Trap(outgoing="command")], task=stubborn) as (_, _, network):
        device, orch = await two(network)
        await orch.ask("s1", "dev-1")
        assert (await orch.end("s1"))["result"] == "done without"
        assert isinstance(raised[0].__cause__, KeyError)
        await device.end("s1")
        await device.heartbeat()


@virtual
@pytest.mark.parametrize(
    "make", [lambda: Trap(incoming="command_results"), lambda: RateLimitMiddleware(0.001, 2)]
)
async def test_results_that_go_no_further_fail_the_task_that_waits_for_them(
    make: Callable[[], ProtocolMiddleware],
) -> None:
    async with fleet(middleware=[make]) as (_, _, network):
        device, orch = await two(network)
        await orch.ask("s1", "dev-1", "look")
        command = await device.command()
        await device.send("error", "error", error="the second message of two, where there is a limit")
        await device.answer(command, "seen")
        end = await orch.end("s1")
        assert (end["status"], end["error"]) == ("failed", await device.refused())
        await device.end("s1")
        await device.heartbeat()


@virtual
@pytest.mark.parametrize("make", [lambda: Trap(incoming="task"), lambda: RateLimitMiddleware(0.001, 1)])
async def test_a_task_that_goes_no_further_has_failed(make: Callable[[], ProtocolMiddleware]) -> None:
    async with fleet(middleware=[make]) as (_, _, network):
        _, orch = await two(network)
        await orch.ask("s1", "dev-1", "look")
        end = await orch.end("s1")
        assert end["status"] == "failed"
        assert "Trap failed on the task" in end["error"] or "messages/s" in end["error"]
        await orch.heartbeat()


@virtual
async def test_a_question_that_goes_no_further_has_failed() -> None:
    async with fleet(middleware=[Trap(incoming="device_info_request")]) as (_, _, network):
        _, orch = await two(network)
        await orch.send("device_info_request", target_id="dev-1", request_id="q1")
        answer = await orch.receive("device_info_response")
        assert (answer["status"], answer["response_id"]) == ("error", "q1")
        assert "Trap failed on the device_info_request" in answer["error"]
        await orch.heartbeat()


@virtual
async def test_a_registration_that_it_fails_on_is_refused() -> None:
    async with fleet(middleware=[Trap(incoming="register")]) as (_, _, network):
        device = await memory_peer(network)
        await device.send("register", client_id="dev-1")
        assert "Trap failed on the register" in await device.refused(closed=True)


@virtual
async def test_a_limit_for_each_connection_refuses_who_is_too_fast_and_nobody_else() -> None:
    async with fleet(middleware=[lambda: RateLimitMiddleware(2, 4)]) as (_, _, network):
        device, orch = await two(network)
        for _ in range(10):
            await device.send("device_info_response", metadata={"a": 1})
        refusals = [await device.refused() for _ in range(7)]  # the registration was the first of four
        assert all("2 messages/s (4 at once)" in refusal and "0.5 s" in refusal for refusal in refusals)
        for _ in range(20):
            await device.heartbeat()
            await orch.heartbeat()
        await orch.ask("s1", "dev-1")
        await orch.end("s1")
        await device.end("s1")
        await trio.sleep(1)
        await device.send("device_info_response", metadata={"a": 2})
        await device.heartbeat()  # nothing was refused


@virtual
async def test_one_object_sees_all_connections_and_a_function_makes_one_for_each() -> None:
    shared = MetricsMiddleware()
    made: list[MetricsMiddleware] = []
    together = Metrics()

    def each() -> MetricsMiddleware:
        made.append(MetricsMiddleware(together))
        return made[-1]

    async with fleet(middleware=[shared, each]) as (_, _, network):
        device, orch = await two(network)
        await orch.ask("s1", "dev-1", "look")
        command = await device.command()
        await trio.sleep(3)
        await device.answer(command, "seen")
        await orch.end("s1")
        await device.end("s1")
    assert len(made) == 2
    for counts in (shared.snapshot(), together.snapshot()):
        assert counts.received == {"register": 2, "task": 1, "command_results": 1}
        assert counts.sent == {"heartbeat": 2, "command": 1, "task_end": 2}
        assert {kind: round(latency.maximum) for kind, latency in counts.latency.items()} == {
            "command": 3,
            "task": 3,
        }
        assert counts.bytes_sent > counts.bytes_received > 500


ENDPOINTS: list[Callable[..., object]] = [
    DeviceServerEndpoint,
    partial(DeviceClientEndpoint, "ws://x", Worker()),
    partial(ConstellationEndpoint, "orch"),
]


@pytest.mark.parametrize("bad", [object(), 7, "middleware"])
@pytest.mark.parametrize("make", ENDPOINTS)
def test_what_is_no_middleware_and_no_extension_is_named(make: Callable[..., object], bad: object) -> None:
    with pytest.raises(InvalidSpec, match="middleware"):
        make(middleware=[bad])
    with pytest.raises(InvalidSpec, match="extensions"):
        make(extensions=[bad])


@pytest.mark.trio
async def test_a_function_that_makes_no_middleware_costs_its_connection_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = iter([None, Trap()])
    async with serving(middleware=[lambda: next(made)]) as server:
        async with peer(server.url) as client:
            assert await client.closed() == 1011
        async with peer(server.url) as client:
            await client.register("dev-1")
    assert "have its function return a ProtocolMiddleware" in caplog.text


# A device's


@asynccontextmanager
async def device_at(trap: Trap) -> AsyncGenerator[tuple[DeviceClientEndpoint, Worker, Peer]]:
    """A device with this middleware, and the plain server's end of its connection."""
    network = MemoryNetwork()
    async with open_system() as system:
        arrivals = Arrivals(network)
        await arrivals.open(system.nursery)
        worker = Worker()
        endpoint = DeviceClientEndpoint(
            arrivals.url,
            worker,
            reconnection_strategy=quick(),
            middleware=[trap],
            make_transport=network.transport,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(endpoint.start)
            server = await arrivals.registered()
        yield endpoint, worker, server
        assert endpoint.is_connected()
        await endpoint.stop()


async def give(server: Peer, response_id: str) -> dict[str, Any]:
    """Have the device do something, and get its results."""
    command = {"tool_name": "look", "tool_type": "action", "call_id": "c1"}
    await server.send("command", "continue", session_id="s1", response_id=response_id, actions=[command])
    frame = await server.receive("command_results")
    assert frame["prev_response_id"] == response_id
    (result,) = frame["action_results"]
    return dict(result)


@virtual
async def test_commands_that_go_no_further_have_failed_and_the_connection_lives_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trap = Trap(incoming="command")
    async with device_at(trap) as (_, worker, server):
        for number in range(2):
            result = await give(server, f"r{number}")
            assert (result["status"], result["call_id"]) == ("failure", "c1")
            assert result["error"] == "internal error: middleware Trap failed on the command"
        assert worker.begun == []
        trap.incoming = []
        assert (await give(server, "r9"))["status"] == "success"
    assert len(blamed(caplog)) == 1


@virtual
async def test_results_that_cannot_go_out_are_failed_ones() -> None:
    async with device_at(Trap(outgoing="command_results")) as (_, worker, server):
        result = await give(server, "r1")
        assert (result["status"], result.get("result")) == ("failure", None)
        assert "Trap failed on the command_results" in result["error"]
        assert worker.begun == [("s1", "look")]


@virtual
async def test_a_heartbeat_that_cannot_go_out_is_an_error_instead_and_a_sign_of_life() -> None:
    async with device_at(Trap(outgoing="heartbeat")) as (_, _, server):
        for _ in range(3):
            assert "Trap failed on the heartbeat" in str((await server.receive("error"))["error"])
            await server.send("heartbeat")


@virtual
async def test_what_the_server_says_otherwise_and_goes_no_further_is_told_to_it() -> None:
    async with device_at(Trap(incoming="task")) as (_, _, server):
        await server.send("task", "continue", user_request="x")
        assert "Trap failed on the task" in str((await server.receive("error"))["error"])
        assert (await give(server, "r1"))["status"] == "success"


@virtual
async def test_a_registration_that_it_fails_on_is_the_starts_failure() -> None:
    network = MemoryNetwork()
    async with open_system() as system:
        arrivals = Arrivals(network)
        await arrivals.open(system.nursery)
        endpoint = DeviceClientEndpoint(
            arrivals.url, Worker(), middleware=[Trap(outgoing="register")], make_transport=network.transport
        )
        with pytest.raises(StartFailed, match="KeyError"):
            await endpoint.start()


# An orchestrator's


@asynccontextmanager
async def orchestrator_at(trap: Trap) -> AsyncGenerator[tuple[ConstellationEndpoint, Peer]]:
    """An orchestrator with this middleware, connected for dev-1."""
    network = MemoryNetwork()
    async with open_system() as system:
        arrivals = Arrivals(network)
        await arrivals.open(system.nursery)
        endpoint = ConstellationEndpoint(
            "orch", reconnection_strategy=quick(), middleware=[trap], make_transport=network.transport
        )
        await endpoint.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                endpoint.connect_to_device, AgentProfile(device_id="dev-1", server_url=arrivals.url)
            )
            server = await arrivals.registered()
        yield endpoint, server
        assert endpoint.is_device_connected("dev-1")
        await endpoint.stop()


@virtual
async def test_the_word_that_a_task_has_ended_fails_it_where_it_goes_no_further() -> None:
    async with orchestrator_at(Trap(incoming="task_end")) as (endpoint, server):
        async with trio.open_nursery() as nursery:

            async def answer() -> None:
                asked = await server.receive("task")
                await server.send("task_end", "completed", session_id=asked["session_id"], result="secret")
                assert "Trap" in str((await server.receive("error"))["error"])

            nursery.start_soon(answer)
            result = await endpoint.send_task_to_device("dev-1", {"request": "x"})
        assert not result.completed
        assert result.result is None
        assert "Trap failed on the task_end" in str(result.error)


@virtual
async def test_a_task_that_cannot_go_out_is_its_callers_error() -> None:
    trap = Trap(outgoing="task device_info_request")
    async with orchestrator_at(trap) as (endpoint, server):
        with pytest.raises(MiddlewareFailed, match="Trap failed"):
            await endpoint.send_task_to_device("dev-1", {"request": "x"})
        with pytest.raises(MiddlewareFailed, match="Trap failed"):
            await endpoint.device_info("dev-1")
        trap.outgoing = []
        async with trio.open_nursery() as nursery:

            async def answer() -> None:
                asked = await server.receive("task")
                await server.send("task_end", "completed", session_id=asked["session_id"])

            nursery.start_soon(answer)
            assert (await endpoint.send_task_to_device("dev-1", {"request": "x"})).completed


@virtual
async def test_information_that_goes_no_further_is_unavailable() -> None:
    async with orchestrator_at(Trap(incoming="device_info_response")) as (endpoint, server):
        async with trio.open_nursery() as nursery:

            async def answer() -> None:
                asked = await server.receive("device_info_request")
                await server.send("device_info_response", response_id=asked["request_id"], result={"os": "x"})
                await server.receive("error")

            nursery.start_soon(answer)
            assert await endpoint.request_device_info("dev-1") is None
