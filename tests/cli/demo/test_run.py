"""A run over a real server and real devices, which are lost by their connections here, not killed."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import trio
import trio.lowlevel

from aip_trio.actors import ActorSystem, open_system
from aip_trio.cli.demo import _run
from aip_trio.cli.demo._comparison import compare
from aip_trio.cli.demo._damage import Damage
from aip_trio.cli.demo._jobs import Command, Job, Stocktaking
from aip_trio.cli.demo._ledger import SettledTwice
from aip_trio.cli.demo._plain import look, survey
from aip_trio.cli.demo._run import Outcome, Overdue, Run
from aip_trio.cli.demo._scope import Scope
from aip_trio.cli.demo._strike import Strike
from aip_trio.endpoints import AgentProfile, ConstellationEndpoint, DeviceClientEndpoint, DeviceServerEndpoint
from aip_trio.endpoints.tools import ToolClient, builtin_tools
from aip_trio.resilience import ReconnectionStrategy
from tests.cli.trees import grow

DEVICES = ("one", "two")
PATIENT = ReconnectionStrategy(None, initial_backoff=0.05, max_backoff=0.2)


def go_on() -> None:
    pass


async def nobody_dies(name: str) -> int:
    raise AssertionError(name)


class Fleet:
    """A server, devices and an orchestrator in this process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.server = DeviceServerEndpoint(port=0)
        self.constellation = ConstellationEndpoint("test", reconnection_strategy=PATIENT)
        self.devices: dict[str, DeviceClientEndpoint] = {}
        self.told: list[str] = []

    async def start(self) -> None:
        await self.server.start()
        await self.constellation.start()
        for name in DEVICES:
            client = ToolClient(name, builtin_tools(self.root))
            self.devices[name] = DeviceClientEndpoint(self.server.url, client, reconnection_strategy=PATIENT)
            await self.devices[name].start()
            await self.constellation.connect_to_device(
                AgentProfile(device_id=name, server_url=self.server.url)
            )

    def run(
        self,
        system: ActorSystem,
        strike: Strike | None = None,
        kill: Callable[[str], Awaitable[int]] = nobody_dies,
        stock: Stocktaking | None = None,
    ) -> Run:
        stock = stock or Stocktaking(Scope(), system.environment.new_id)
        return Run(self.constellation, DEVICES, stock, Damage(strike, DEVICES, kill), self.told.append)


def is_right(outcome: Outcome, root: Path) -> bool:
    scope, before = survey(str(root), go_on)
    return compare(outcome.inventory, look(str(root), scope, go_on), before=before).equal


@pytest.mark.trio
async def test_every_task_has_its_outcome_and_the_result_is_right(tmp_path: Path) -> None:
    root = grow(tmp_path, 100)
    async with open_system() as system:
        fleet = Fleet(root)
        await fleet.start()
        outcome = await fleet.run(system).perform()
    assert is_right(outcome, root)
    assert outcome.asked == outcome.done == sum(outcome.done_by.values()) > 6
    assert outcome.retried == 0
    assert outcome.loads.keys() == set(DEVICES)
    assert (outcome.killed, outcome.recovery) == (None, None)
    assert fleet.told == []


@pytest.mark.trio
@pytest.mark.parametrize("victim", ["one", "server"])
async def test_what_is_lost_is_asked_for_again(victim: str, tmp_path: Path) -> None:
    root = grow(tmp_path, 100)
    async with open_system() as system:
        fleet = Fleet(root)
        await fleet.start()

        async def cut(name: str) -> int:
            for device in DEVICES if name == "server" else (name,):
                system.nursery.start_soon(fleet.devices[device].reconnect_device, device)
            await trio.lowlevel.checkpoint()
            return 7

        run = fleet.run(system, Strike(victim, 0, 0.03), cut)  # in the middle of measuring the load
        outcome = await run.perform()
    assert is_right(outcome, root)
    assert outcome.asked == outcome.done == sum(outcome.done_by.values())
    assert outcome.retried >= 1
    assert any("machine load on one: device_disconnected" in line for line in fleet.told)
    assert outcome.killed == f"{victim} (pid 7)"
    assert outcome.recovery is not None
    assert str(run).endswith(f"{outcome.retried} of them asked for again")


@pytest.mark.trio
async def test_a_second_outcome_ends_the_run(tmp_path: Path) -> None:
    class Doubled(Stocktaking):
        def take(self, job: Job, results: Sequence[Command]) -> list[Job]:
            return [job]

    async with open_system() as system:
        fleet = Fleet(tmp_path)
        await fleet.start()
        run = fleet.run(system, stock=Doubled(Scope(), system.environment.new_id))
        with pytest.raises(ExceptionGroup) as raised:
            await run.perform()
    assert raised.group_contains(SettledTwice)


@pytest.mark.trio
async def test_a_run_that_does_not_come_to_its_end_says_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_run, "_RUN", 1.0)
    async with open_system() as system:
        fleet = Fleet(tmp_path)
        await fleet.start()
        await fleet.devices["two"].stop()
        with pytest.raises(Overdue) as raised:
            await fleet.run(system).perform()
    assert raised.value.done < raised.value.asked
    assert "on two: device 'two' is not connected" in str(raised.value)
