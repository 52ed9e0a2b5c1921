"""Ends cut at any byte: exactly one outcome each time, and then everybody is back, and does the next task.

On a link that resumes the one outcome is that the task is completed, and each of its commands was done once.
"""

from collections import Counter

import pytest
import trio

from aip_trio.endpoints import (
    AgentProfile,
    ConstellationEndpoint,
    DeviceClientEndpoint,
    DeviceServerEndpoint,
    ExecutionResult,
)
from aip_trio.errors import DeviceNotConnected
from aip_trio.messages import ServerMessage, ServerMessageType
from aip_trio.protocol import SUBPROTOCOLS
from tests.endpoints.proxy import Proxy
from tests.endpoints.support import Worker, patient, quick, until

#: Bytes that a connection carries in all in these tests, at least; and from cut to cut.
LONGEST, STRIDE = 2600, 97

LINKS = pytest.mark.parametrize("link", SUBPROTOCOLS)


async def one_task(orch: ConstellationEndpoint, device_id: str, session_id: str) -> ExecutionResult | None:
    """A task of two commands; None where it could not even be asked for."""
    commands = [{"tool_name": "look"}, {"tool_name": "touch", "parameters": {"text": "x" * 200}}]
    request = {"session_id": session_id, "metadata": {"commands": commands}, "timeout": 20}
    try:
        return await orch.send_task_to_device(device_id, request)
    except DeviceNotConnected:
        return None


def judge(result: ExecutionResult | None) -> str:
    """The outcome, where it is one that there may be."""
    if result is None:
        return "not asked"
    if result.completed:
        assert [each["tool_name"] for each in result.result] == ["look", "touch"]
        return "completed"
    reason = str(result.error)
    known = ("device_disconnected", "constellation_disconnected", "is not connected")
    assert any(each in reason for each in known), reason
    return "failed"


async def next_task(orch: ConstellationEndpoint, device_id: str, name: str) -> None:
    """Sooner or later it goes through."""
    for number in range(1000):
        if judge(await one_task(orch, device_id, f"{name} again {number}")) == "completed":
            return
        await trio.sleep(0.005)
    raise AssertionError(f"{name} does not come back")


class Ends:
    """Counts the ends of each task that an orchestrator is told of."""

    def __init__(self) -> None:
        self.counts: Counter[str | None] = Counter()

    async def process_message(self, msg: ServerMessage) -> None:
        await trio.lowlevel.checkpoint()
        self.counts[msg.session_id] += msg.type is ServerMessageType.TASK_END


def judge_all(outcomes: Counter[str], link: str, cuts: float) -> None:
    assert outcomes["completed"]
    assert outcomes["cut"] > cuts, outcomes
    if link == "aip.v1":
        assert outcomes["failed"]
    else:
        assert outcomes.keys() == {"completed", "cut"}, outcomes


@LINKS
@pytest.mark.trio
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_devices_connection_cut_at_any_byte(direction: str, link: str) -> None:
    outcomes: Counter[str] = Counter()
    async with patient(60) as system:
        server = DeviceServerEndpoint(port=0, ghost_timeout=0.1)
        await server.start()
        ends = Ends()
        orch = ConstellationEndpoint("orch", ends, reconnection_strategy=quick())
        await orch.start()

        async def live(cut: int) -> None:
            worker = Worker(f"dev-{cut}")
            async with Proxy.open(server.port, **{direction: cut}) as proxy:
                device = DeviceClientEndpoint(
                    proxy.url, worker, reconnection_strategy=quick(), subprotocols=[link]
                )
                await device.start()
                profile = AgentProfile(device_id=worker.client_id, server_url=server.url)
                await orch.connect_to_device(profile)
                outcomes[judge(await one_task(orch, worker.client_id, worker.client_id))] += 1
                if link != "aip.v1":
                    assert [tool for _, tool in worker.begun] == ["look", "touch"]
                await next_task(orch, worker.client_id, worker.client_id)
                await until(device.is_connected)
                if proxy.has_cut:
                    assert proxy.connections > 1
                    outcomes["cut"] += 1
                await device.stop()

        async with trio.open_nursery() as nursery:
            for cut in range(1, LONGEST, STRIDE):
                nursery.start_soon(live, cut)
        await orch.stop()
        if link == "aip.v1":  # else the goodbye may have been cut, and the server waits for a resumption
            await until(lambda: not server.is_connected())
        assert all(not server.sessions_of(f"dev-{cut}") for cut in range(1, LONGEST, STRIDE))
        await server.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]
    judge_all(outcomes, link, LONGEST / STRIDE / 2)
    assert set(ends.counts.values()) - {0} == {1}


@LINKS
@pytest.mark.trio
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_an_orchestrators_connection_cut_at_any_byte(direction: str, link: str) -> None:
    outcomes: Counter[str] = Counter()
    async with patient(60) as system:
        server = DeviceServerEndpoint(port=0, ghost_timeout=0.1)
        await server.start()
        device = DeviceClientEndpoint(server.url, Worker())
        await device.start()

        async def live(cut: int) -> None:
            async with Proxy.open(server.port, **{direction: cut}) as proxy:
                orch = ConstellationEndpoint(
                    f"orch-{cut}", reconnection_strategy=quick(), subprotocols=[link]
                )
                await orch.start()
                await orch.connect_to_device(AgentProfile(device_id="dev-1", server_url=proxy.url))
                outcomes[judge(await one_task(orch, "dev-1", f"{cut}"))] += 1
                await next_task(orch, "dev-1", f"orch-{cut}")
                if proxy.has_cut:
                    assert proxy.connections > 1
                    outcomes["cut"] += 1
                await orch.stop()

        async with trio.open_nursery() as nursery:
            for cut in range(1, LONGEST, STRIDE):
                nursery.start_soon(live, cut)
        await until(lambda: not server.sessions_of("dev-1"))
        await device.stop()
        await server.stop()
        assert [node.path for node in system.tree().walk()] == ["/"]
    judge_all(outcomes, link, LONGEST / STRIDE / 3)
