"""What extensions of the three endpoints are told, in one fleet; in virtual time."""

from typing import Any

import pytest
import trio

from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceClientEndpoint, Session
from aip_trio.extensions import AIPExtension, MetricsExtension
from aip_trio.messages import WireModel
from tests.endpoints.memory import fleet, memory_peer, virtual
from tests.endpoints.support import Worker, action, quick, until


class Diary(AIPExtension):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def on_message_sent(self, msg: WireModel) -> None:
        self.lines.append(f"> {msg.type}")  # type: ignore[attr-defined]  # pyright: ignore

    async def on_message_received(self, msg: WireModel) -> None:
        self.lines.append(f"< {msg.type}")  # type: ignore[attr-defined]  # pyright: ignore

    async def on_connection_established(self, endpoint_id: str) -> None:
        self.lines.append(f"+ {endpoint_id}")

    async def on_connection_closed(self, endpoint_id: str) -> None:
        self.lines.append(f"- {endpoint_id}")

    async def on_error(self, error: Exception, context: str) -> None:
        self.lines.append(f"! {type(error).__name__}: {context}")


async def look(session: Session) -> Any:
    (result,) = await session.execute(action("look"))
    return result.result


@virtual
async def test_each_end_hears_of_its_connections_messages_in_order() -> None:
    server_diary, device_diary, orch_diary = Diary(), Diary(), Diary()
    metrics = MetricsExtension()
    async with fleet(task=look, extensions=[server_diary, metrics]) as (_, _, network):
        device = DeviceClientEndpoint(
            "memory://server",
            Worker(),
            reconnection_strategy=quick(),
            extensions=[device_diary],
            make_transport=network.transport,
        )
        await device.start()
        orch = ConstellationEndpoint("orch", extensions=[orch_diary], make_transport=network.transport)
        await orch.start()
        await orch.connect_to_device(AgentProfile(device_id="dev-1", server_url="memory://server"))
        assert (await orch.send_task_to_device("dev-1", {"request": "x"})).completed
        await orch.stop()
        await device.stop()
    assert device_diary.lines == [
        "> register",
        "< heartbeat",
        "+ dev-1",
        "< command",
        "> command_results",
        "< task_end",
        "- dev-1",
    ]
    assert orch_diary.lines == ["> register", "< heartbeat", "+ dev-1", "> task", "< task_end", "- dev-1"]
    assert sorted(line for line in server_diary.lines if line[0] in "+-") == [
        "+ dev-1",
        "+ orch@dev-1",
        "- dev-1",
        "- orch@dev-1",
    ]
    assert server_diary.lines[:4] == ["< register", "+ dev-1", "> heartbeat", "< register"]
    counts = metrics.get_metrics()
    assert (counts["messages_sent"], counts["messages_received"]) == (5, 4)
    assert (counts["connections_established"], counts["connections_closed"]) == (2, 2)
    assert counts["answers"] == 2


@virtual
async def test_errors_are_told_with_where_they_were() -> None:
    diary = Diary()
    async with fleet(extensions=[diary]) as (_, _, network):
        device = await memory_peer(network)
        await device.register("dev-1")
        await device.wire.send("{")
        await device.refused()
        await device.cut()
        await until(lambda: "- dev-1" in diary.lines)
        nobody = await memory_peer(network)
        await nobody.wire.send("}")
        await nobody.refused(closed=True)
    assert [line for line in diary.lines if line[0] == "!"] == [
        "! DecodeError: connection of dev-1",
        "! ConnectionLost: connection of dev-1",
        "! DecodeError: a connection that is not registered",
    ]


@virtual
async def test_one_that_hangs_or_raises_harms_nobody_and_the_stop_is_soon() -> None:
    class Bad(Diary):
        async def on_message_received(self, msg: WireModel) -> None:
            raise ValueError("planted")

        async def on_message_sent(self, msg: WireModel) -> None:
            await trio.sleep_forever()

    good = Diary()
    async with fleet(task=look, extensions=[Bad(), good]) as (_, _, network):
        device, orch = [await memory_peer(network) for _ in range(2)]
        await device.register("dev-1")
        await orch.register("orch", "constellation", target_id="dev-1")
        for _ in range(100):
            await device.heartbeat()
        await orch.ask("s", "dev-1")
        await device.answer(await device.command(), "seen")
        assert (await orch.end("s"))["result"] == "seen"
        await until(lambda: good.lines.count("> task_end") == 2)
        stop = trio.current_time()
    assert trio.current_time() - stop < 5


@pytest.mark.trio
async def test_without_extensions_there_is_no_actor_for_them() -> None:
    async with fleet() as (system, _, _):
        assert system.find("/server/extensions") is None
    async with fleet(extensions=[Diary()]) as (system, _, _):
        assert system.find("/server/extensions") is not None
