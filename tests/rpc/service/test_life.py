"""The life of a service: once, in a system that runs or in its own."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from aip_trio.actors import current_system, open_system
from aip_trio.errors import (
    AddressInUse,
    IllegalTransition,
    InvalidSpec,
    NoSystem,
    RpcServiceStopped,
    StartCalledOff,
)
from aip_trio.rpc import (
    RPC_SERVICE_MACHINE,
    ApiOptions,
    RpcOptions,
    RpcService,
    RpcServiceEvent,
    RpcServiceState,
    TelemetryOptions,
    create_api_service,
    create_default_api_options,
)
from aip_trio.testing import CancelPoint, Edge, cancel_at_every_checkpoint, every_edge, perform_walk_async
from tests.rpc.service.support import RESULT, ask, request, serving, succeed


def new_service(subscriber_port: int = 0, command_port: int = 0) -> RpcService:
    return RpcService(RpcOptions(subscriber_port=subscriber_port, command_port=command_port))


class RealService:
    """A service beside its machine."""

    def __init__(self) -> None:
        self.service = new_service()

    @property
    def state(self) -> RpcServiceState:
        return self.service.state

    async def fire(self, event: RpcServiceEvent) -> None:
        if event is RpcServiceEvent.START:
            await self.service.start()
        elif self.state is RpcServiceState.STARTED:
            await self.service.stop()
        else:  # harmless, but no event
            await self.service.stop()
            raise IllegalTransition("RPC service", self.state, event, ())


@asynccontextmanager
async def real_service() -> AsyncGenerator[RealService]:
    async with open_system():
        real = RealService()
        yield real
        await real.service.stop()


@pytest.mark.trio
@pytest.mark.parametrize("edge", every_edge(RPC_SERVICE_MACHINE), ids=str)
async def test_the_real_service_goes_the_machines_ways(edge: Edge[RpcServiceState, RpcServiceEvent]) -> None:
    async with real_service() as real:
        await perform_walk_async(
            RPC_SERVICE_MACHINE, real, edge.walk, refusals=(IllegalTransition, RpcServiceStopped)
        )


@pytest.mark.trio
async def test_a_service_that_has_stopped_says_to_make_a_new_one() -> None:
    async with serving() as service:
        await service.stop()
        with pytest.raises(RpcServiceStopped, match=r"create_api_service\(\)"):
            await service.start()
        with pytest.raises(RuntimeError):
            await service.start()


@pytest.mark.trio
async def test_outside_of_a_system_it_does_not_start_and_may_later() -> None:
    service = new_service()
    with pytest.raises(NoSystem):
        await service.start()
    await service.stop()
    await service.stopped()
    states = [service.state]
    async with service:
        states.append(service.state)
    assert [*states, service.state] == list(RpcServiceState)


@pytest.mark.trio
async def test_as_a_block_it_opens_a_system_of_its_own_or_joins_the_one_there_is() -> None:
    async with new_service() as alone:
        alone.command_request_delegate = succeed
        assert [reply["result"] for reply in await ask(alone, request(300))] == [RESULT.SUCCESS]
    async with open_system() as system, new_service(), new_service():
        paths = [node.path for node in system.tree().walk()]
        assert {"/rpc/publisher", "/rpc/commands", "/rpc/heartbeat"} <= set(paths)
        assert len(paths) == 9
    with pytest.raises(NoSystem):
        current_system()


@pytest.mark.trio
async def test_a_port_in_use_is_named_and_nothing_is_left() -> None:
    async with serving() as first:
        for ports in (
            {"subscriber_port": first.subscriber_port},
            {"command_port": first.command_port},
        ):
            second = new_service(**ports)
            with pytest.raises(AddressInUse, match=str(next(iter(ports.values())))):
                await second.start()
            assert second.state is RpcServiceState.STOPPED
            with pytest.raises(AddressInUse):
                async with new_service(**ports):
                    pass
        names = [node.path for node in current_system().tree().walk()]
        assert names == ["/", "/rpc", "/rpc/publisher", "/rpc/commands", "/rpc/heartbeat"]


@pytest.mark.trio
async def test_a_stop_calls_off_a_start_that_is_under_way() -> None:
    async with open_system(), trio.open_nursery() as nursery:
        service = new_service()
        called_off = trio.Event()

        async def start() -> None:
            with pytest.raises(StartCalledOff):
                await service.start()
            called_off.set()

        nursery.start_soon(start)
        while service.state is RpcServiceState.CREATED:
            await trio.lowlevel.checkpoint()
        await service.stop()
        await called_off.wait()
        assert service.state is RpcServiceState.STOPPED


def test_a_start_may_be_cancelled_anywhere() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with open_system() as system:
            service = new_service()
            with point:
                await service.start()
            paths = [node.path for node in system.tree().walk()]
            if service.state is RpcServiceState.STARTED:
                assert len(paths) == 5
            else:
                assert paths == ["/"]
            await service.stop()

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_a_stop_may_be_cancelled_anywhere_and_it_stops_all_the_same() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with open_system() as system:
            service = new_service()
            await service.start()
            with point:
                await service.stop()
            await service.stop()
            assert service.state is RpcServiceState.STOPPED
            assert [node.path for node in system.tree().walk()] == ["/"]

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


def test_waiting_for_its_end_may_be_cancelled() -> None:
    async def scenario(point: CancelPoint) -> None:
        async with open_system():
            service = new_service()
            await service.start()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(service.stop)
                with point:
                    await service.stopped()
            assert service.state is RpcServiceState.STOPPED

    assert cancel_at_every_checkpoint(scenario, virtual_time=False) >= 1


# Options


def test_the_defaults_are_those_of_the_seed() -> None:
    options = create_default_api_options()
    assert options.telemetry == TelemetryOptions(False, None, "")
    assert options.rpc is not None
    rpc = options.rpc
    assert (rpc.enable, rpc.identifier, rpc.heartbeat_interval) == (True, "autotrainer-device", 5)
    assert (rpc.subscriber_port, rpc.command_port) == (5556, 5557)
    service = create_api_service(options)
    assert service is not None
    assert (service.subscriber_port, service.command_port) == (5556, 5557)
    assert (service.identifier, service.heartbeat_interval) == ("autotrainer-device", 5)
    assert service.urls == ("tcp://127.0.0.1:5556", "tcp://127.0.0.1:5557")
    assert service.command_request_delegate is None


def test_what_is_not_enabled_is_not_made() -> None:
    assert create_api_service(ApiOptions()) is None
    assert create_api_service(ApiOptions(rpc=RpcOptions(enable=False))) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identifier", ""),
        ("heartbeat_interval", 0),
        ("heartbeat_interval", float("inf")),
        ("heartbeat_interval", "5"),
        ("subscriber_port", -1),
        ("command_port", 65536),
        ("command_port", 5556),
        ("command_port", "5557"),
        ("host", ""),
        ("replay", -1),
        ("dialect", "0.10"),
        ("pending_after", -0.1),
        ("pending_after", float("nan")),
        ("delegate_timeout", 0),
        ("max_commands", 0),
        ("queue", True),
        ("send_limit", 0),
    ],
)
def test_an_option_that_makes_no_sense_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidSpec, match=name) as raised:
        RpcOptions(**{name: value})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert raised.value.value is value


def test_a_key_that_is_no_keys_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidSpec, match="curve") as raised:
        RpcOptions(curve="a secret")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert "a secret" not in str(raised.value)


def test_a_key_for_telemetry_is_not_shown() -> None:
    assert "secret" not in repr(TelemetryOptions(api_key="secret"))
    assert attrs.asdict(TelemetryOptions(api_key="secret"))["api_key"] == "secret"
