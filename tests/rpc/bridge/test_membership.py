"""When the device of a bridge is one of its fleet."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from aip_trio.errors import EndpointNotRunning, IllegalTransition, InvalidSpec
from aip_trio.messages import TaskStatus
from aip_trio.resilience import ReconnectionStrategy
from aip_trio.rpc._wire import Reply
from aip_trio.rpc.bridge import RpcBridge, RpcBridgeState
from aip_trio.rpc.client import PresenceState
from tests.endpoints.memory import virtual
from tests.rpc.bridge.support import Crew, beat, bridging

S, P = RpcBridgeState, PresenceState


@virtual
async def test_it_joins_when_heartbeats_come_and_under_their_name() -> None:
    async with bridging() as crew:
        await trio.sleep(100)
        assert (crew.bridge.state, crew.devices, crew.bridge.device_id) == (S.WAITING, set[str](), None)
        await crew.joins()
        assert (crew.bridge.state, crew.devices) == (S.JOINED, {"bench-1"})
        assert crew.bridge.device_id == "bench-1"
        assert crew.bridge.is_connected()
        assert (await crew.task("get_status")).completed


@virtual
async def test_it_stays_while_heartbeats_may_come_again() -> None:
    async with bridging() as crew:
        await crew.joins()
        await crew.service.becomes(P.MISSING)
        assert (crew.bridge.state, crew.devices) == (S.AWAY, {"bench-1"})
        await trio.sleep(1000)
        assert (crew.bridge.state, crew.devices) == (S.AWAY, {"bench-1"})
        await crew.service.becomes(P.PRESENT)
        assert (crew.bridge.state, crew.devices) == (S.JOINED, {"bench-1"})


@virtual
async def test_it_leaves_when_the_service_has_gone_and_comes_back_with_it() -> None:
    async with bridging() as crew:
        for _ in range(3):
            await crew.joins()
            await crew.service.becomes(P.MISSING)
            await crew.service.becomes(P.GONE)
            assert (crew.bridge.state, crew.devices) == (S.WAITING, set[str]())
            assert not crew.bridge.is_connected()


@virtual
async def test_a_task_of_a_device_that_leaves_fails_and_says_why() -> None:
    async def never(command: int, data: object) -> Reply:
        await trio.sleep_forever()
        raise AssertionError

    async with bridging() as crew:
        await crew.joins()
        crew.service.answer = never
        ends: list[tuple[TaskStatus, str | None]] = []

        async def ask() -> None:
            end = await crew.task("start_acquisition")
            ends.append((end.status, end.error))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            nursery.start_soon(ask)
            await wait_all_tasks_blocked()
            await crew.service.becomes(P.GONE)
        told = "RPC service 'bench-1' has gone: no heartbeat comes any more"
        assert ends == [(TaskStatus.FAILED, told)] * 2
        assert crew.devices == set()


@virtual
async def test_a_bridge_that_is_stopped_says_so_to_its_tasks() -> None:
    async def never(command: int, data: object) -> Reply:
        await trio.sleep_forever()
        raise AssertionError

    async with bridging() as crew:
        await crew.joins()
        crew.service.answer = never
        ends: list[str | None] = []

        async def ask() -> None:
            ends.append((await crew.task("start_acquisition")).error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await wait_all_tasks_blocked()
            await crew.bridge.stop()
        assert ends == ["the bridge to the RPC service is stopped"]
        assert crew.bridge.state is S.STOPPED


@virtual
async def test_another_service_in_the_place_of_the_first_is_another_device() -> None:
    async with bridging() as crew:
        await crew.joins()
        await crew.service.publishes(beat("bench-2"))
        assert await crew.bridge.wait_joined() == "bench-2"
        await wait_all_tasks_blocked()
        assert crew.devices == {"bench-2"}


@virtual
async def test_a_name_that_was_given_stays_whatever_the_service_is_called() -> None:
    async with bridging(device_id="lab") as crew:
        assert crew.bridge.device_id == "lab"
        await crew.joins("lab")
        await crew.service.publishes(beat("bench-2"))
        assert (crew.bridge.state, crew.devices) == (S.JOINED, {"lab"})
        assert (await crew.orch.device_info("lab"))["rpc"]["identifier"] == "bench-2"


@virtual
async def test_a_service_whose_name_no_device_can_have_waits_outside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with bridging() as crew:
        await crew.service.becomes(P.PRESENT, "a/b")
        assert crew.bridge.state is S.WAITING
        assert "give the bridge a device_id" in caplog.text
        await crew.service.publishes(beat("bench-2"))
        assert await crew.bridge.wait_joined() == "bench-2"


@virtual
async def test_a_service_that_goes_while_the_device_joins() -> None:
    async with bridging() as crew:
        await crew.server.stop()  # nobody to register at
        states: list[RpcBridgeState] = []
        for presence in (P.PRESENT, P.GONE):
            await crew.service.becomes(presence)
            await trio.sleep(3)
            states.append(crew.bridge.state)
        assert states == [S.JOINING, S.WAITING]


@virtual
async def test_who_waits_for_a_bridge_that_ends_is_told() -> None:
    async with bridging() as crew:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crew.bridge.stop)
            with pytest.raises(EndpointNotRunning, match="wait_joined"):
                await crew.bridge.wait_joined()
        with pytest.raises(IllegalTransition):
            await crew.bridge.start()


@virtual
async def test_a_client_that_fails_does_not_cost_the_connection() -> None:
    async with bridging() as crew:
        await crew.joins()
        (first,) = crew.service.clients
        client = crew.server._hub.directory.device("bench-1")
        first.fail()
        await trio.sleep(1)
        assert len(crew.service.clients) == 2
        assert crew.server._hub.directory.device("bench-1") is client
        assert (await crew.task("get_status")).completed


@virtual
async def test_a_new_client_that_hears_nothing_of_the_service_gives_it_up() -> None:
    async with bridging() as crew:
        await crew.joins()
        crew.service.state, crew.service.heartbeat = P.UNKNOWN, None
        crew.service.clients[0].fail()
        await trio.sleep(20)
        assert (crew.bridge.state, crew.devices) == (S.JOINED, {"bench-1"})
        await trio.sleep(10)
        assert (crew.bridge.state, crew.devices) == (S.WAITING, set[str]())


@virtual
async def test_a_connection_that_breaks_does_not_cost_the_client() -> None:
    async with bridging() as crew:
        await crew.joins()
        before = crew.server._hub.directory.device("bench-1")
        endpoint = crew.bridge._shared.endpoint
        assert endpoint is not None
        await endpoint.reconnect_device("bench-1")
        await trio.sleep(1)
        after = crew.server._hub.directory.device("bench-1")
        assert after is not None
        assert after is not before
        assert (crew.bridge.state, len(crew.service.clients)) == (S.JOINED, 1)


@virtual
async def test_an_endpoint_that_fails_as_a_whole_is_made_anew() -> None:
    async with bridging() as crew:
        await crew.joins()
        endpoint = crew.bridge._shared.endpoint
        assert endpoint is not None
        await endpoint.stop()
        await trio.sleep(1)
        assert crew.bridge._shared.endpoint is not endpoint
        assert (crew.bridge.state, crew.devices) == (S.JOINED, {"bench-1"})
        assert len(crew.service.clients) == 1


async def ask_for_status(crew: Crew) -> bool:
    return (await crew.task("get_status")).completed


@virtual
async def test_each_part_may_crash_and_the_rest_goes_on() -> None:
    async with bridging() as crew:
        await crew.joins()
        for part in ("service", "reports", "fleet"):
            ref = crew.system.find(f"/bridge/{part}")
            assert ref is not None
            actor = ref._cell.actor
            assert actor is not None

            async def burst() -> None:
                raise RuntimeError("planted")

            actor.nursery.start_soon(burst)
            await trio.sleep(1)
            assert (crew.bridge.state, crew.devices) == (S.JOINED, {"bench-1"})
            await trio.sleep(20)  # the orchestrator is back, too
            assert await ask_for_status(crew)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"device_id": "a/b"}, "device_id"),
        ({"device_id": ""}, "device_id"),
        ({"timeout": 0}, "timeout"),
        ({"telemetry_interval": -1}, "telemetry_interval"),
        ({"reconnection_strategy": ReconnectionStrategy(3)}, "max_retries=None"),
        ({"adapter": "none"}, "adapter"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidSpec, match=told):
        RpcBridge("ws://127.0.0.1:1/ws", **options)  # type: ignore[arg-type] # pyright: ignore
