"""What a fleet is told of a bridged device."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.actors import open_system
from aip_trio.rpc import ApiCommand, ApiCommandRequestResult, ApiTopic
from aip_trio.rpc._wire import Reply
from aip_trio.rpc.bridge import RpcBridge
from aip_trio.rpc.client import Dropped, Gap, PresenceState as P, Published, Restarted
from aip_trio.transport import MemoryNetwork
from tests.endpoints.memory import Arrivals, virtual
from tests.endpoints.peer import Ended, Peer
from tests.endpoints.support import quick
from tests.rpc.bridge.support import FakeService, beat, bridging, event


class Pushes:
    """A server that notes what a device pushes."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.made: list[dict[str, Any]] = []

    async def note(self) -> None:
        try:
            while True:
                frame = await self.peer.receive()
                if frame["type"] == "heartbeat":
                    await self.peer.send("heartbeat", response_id="yes")
                else:
                    assert frame["type"] == "device_info_response"
                    self.made.append(frame["metadata"]["rpc"])
        except Ended:
            pass

    async def since(self) -> list[dict[str, Any]]:
        """What has been pushed since the last call."""
        await wait_all_tasks_blocked()
        made, self.made = self.made, []
        return made


@asynccontextmanager
async def pushing(**options: Any) -> AsyncGenerator[tuple[FakeService, Pushes, Arrivals]]:
    """A bridge that has joined at a server of which nothing is expected but to note."""
    service, network = FakeService(), MemoryNetwork()
    arrivals = Arrivals(network)
    async with open_system() as system:
        await arrivals.open(system.nursery)
        bridge = RpcBridge(
            arrivals.url,
            make_client=service.client,
            make_transport=network.transport,
            reconnection_strategy=quick(),
            **options,
        )
        await bridge.start()
        await service.becomes(P.PRESENT)
        pushes = Pushes(await arrivals.registered())
        await bridge.wait_joined()
        system.nursery.start_soon(pushes.note)
        await trio.sleep(5)
        await pushes.since()
        yield service, pushes, arrivals
        await bridge.stop()


@virtual
async def test_a_device_tells_of_its_service() -> None:
    async with bridging() as crew:
        await crew.joins()
        await crew.service.publishes(beat(version="2.5"), event(1101))
        told = await crew.orch.device_info("bench-1")
        assert told["device_id"] == "bench-1"
        assert "get_status" in told["supported_features"]
        rpc = told["rpc"]
        assert (rpc["identifier"], rpc["version"], rpc["presence"]) == ("bench-1", "2.5", "present")
        assert rpc["published"] == {"EVENT": 1}
        assert list(rpc["last_events"]) == ["tunnelEnter"]
        assert "hostname" not in told  # it is not the bridge's machine that is of interest


@virtual
async def test_the_status_is_known_before_anybody_asks_and_kept_up_to_date() -> None:
    statuses = iter(({"mode": "idle"}, {"mode": "acquiring"}))

    async def answer(command: int, data: object) -> Reply:
        await trio.lowlevel.checkpoint()
        told = next(statuses)
        return Reply(1, ApiCommand(command), ApiCommandRequestResult.SUCCESS, told)

    service = FakeService(answer=answer)
    async with bridging(service=service) as crew:
        await crew.joins()
        assert (await crew.orch.device_info("bench-1"))["rpc"]["status"] == {"mode": "idle"}
        assert (await crew.task("get_status")).completed
        assert (await crew.orch.device_info("bench-1"))["rpc"]["status"] == {"mode": "acquiring"}


@virtual
async def test_events_are_pushed_together_once_in_an_interval() -> None:
    async with pushing(telemetry_interval=10.0) as (service, pushes, _):
        for _ in range(50):
            await service.publishes(event(1101))
            await trio.sleep(0.5)
        counts = [told["published"]["EVENT"] for told in await pushes.since()]
        assert len(counts) in (2, 3)
        await trio.sleep(10)
        assert [told["published"]["EVENT"] for told in await pushes.since()] == [50]
        await trio.sleep(100)
        assert await pushes.since() == []


@virtual
@pytest.mark.parametrize("interval", [0.0, 1000.0])
async def test_an_emergency_and_a_change_of_presence_are_pushed_at_once(interval: float) -> None:
    async with pushing(telemetry_interval=interval) as (service, pushes, _):
        await service.publishes(event(101, ApiTopic.EMERGENCY), event(101))
        (told, *_) = await pushes.since()
        assert told["last_events"]["emergencyStop"]["topic"] in ("EMERGENCY", "EVENT")
        await trio.sleep(1)
        await pushes.since()
        for state in (P.MISSING, P.PRESENT):
            await service.becomes(state)
            await trio.sleep(0.1)
            assert [told["presence"] for told in await pushes.since()][-1] == state.value


@virtual
async def test_an_emergency_while_there_is_no_connection_is_told_on_the_next() -> None:
    async with pushing(telemetry_interval=1000.0) as (service, pushes, arrivals):
        await pushes.peer.wire.cut()
        await service.publishes(event(101, ApiTopic.EMERGENCY))
        again = await arrivals.accept()
        register = await again.receive("register")
        assert "emergencyStop" in register["metadata"]["system_info"]["rpc"]["last_events"]
        await service.publishes(event(102, ApiTopic.EMERGENCY))
        await again.send("heartbeat", response_id="welcome")
        pushed = await again.receive("device_info_response")
        assert "emergencyResume" in pushed["metadata"]["rpc"]["last_events"]


@virtual
async def test_whatever_a_service_publishes_is_told_or_counted() -> None:
    async with bridging() as crew:
        await crew.joins()
        await crew.service.publishes(
            Published(ApiTopic(7), b"\xff no JSON", None, None),
            Published(ApiTopic(7), [1, 2], None, None),
            Gap(ApiTopic.EVENT, 5, 7),
            Dropped(4),
            Restarted("another"),
            beat(),
        )
        end = await crew.task("recent_events", topic=7)
        assert [found["message"] for found in end.result[0]["result"]] == ["\ufffd no JSON", [1, 2]]
        told = (await crew.orch.device_info("bench-1"))["rpc"]
        assert told["published"] == {"UNKNOWN_7": 2}
        assert told["missed"] == 7
