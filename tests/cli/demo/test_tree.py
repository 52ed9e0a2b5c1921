"""The whole tree, with crashes that no plan foresaw."""

import os
import tempfile
from pathlib import Path

import attrs
import pytest
import trio

from aip_trio.actors import Actor, ActorRef, ActorSystem, RealEnvironment, handles, open_system
from aip_trio.cli._output import Output, View
from aip_trio.cli._settings import Settings
from aip_trio.cli.demo._asking import ask_again
from aip_trio.cli.demo._comparison import compare
from aip_trio.cli.demo._dispatcher import Dispatcher
from aip_trio.cli.demo._messages import Everything, Finished
from aip_trio.cli.demo._plain import look
from aip_trio.cli.demo._sabotage import Plan, Sabotage, make_plan
from aip_trio.cli.demo._saboteur import Confess, Hits, Saboteur
from aip_trio.cli.demo._tree import Order, Stocktaking
from aip_trio.cli.demo._walker import Walker
from tests.cli.trees import grow


@attrs.frozen
class Blow:
    """Crash."""


class Mortal(Actor):
    @handles
    async def blow(self, message: Blow) -> None:
        raise Sabotage("unplanned")


class MortalWalker(Walker, Mortal):
    pass


class MortalDispatcher(Dispatcher, Mortal):
    pass


class MortalSaboteur(Saboteur, Mortal):
    pass


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


async def stocktaking(system: ActorSystem, root: Path, plan: Plan) -> ActorRef:
    order = Order(str(root), 3, plan, 100)
    return await system.spawn(Stocktaking, order, Output(Settings(json=True)), View(), name="stocktaking")


def member(system: ActorSystem, name: str) -> ActorRef:
    ref = system.find(f"/stocktaking/{name}")
    assert ref is not None
    return ref


async def is_equal(system: ActorSystem, root: Path) -> bool:
    inventory = await ask_again(member(system, "collector"), Everything())
    plain = look(str(root), lambda: None)
    return compare(inventory, plain, before=plain.glance, began=0).equal


@pytest.mark.trio
@pytest.mark.parametrize("seed", range(5))
async def test_each_planned_crash_happens_and_nothing_is_lost(
    seed: int, tmp_path: Path, temporary: Path
) -> None:
    root = grow(tmp_path / "tree", 300, seed)
    async with open_system(environment=RealEnvironment(seed), intensity=0) as system:
        plan = make_plan(system.environment.random, 300)
        await stocktaking(system, root, plan)
        await ask_again(member(system, "dispatcher"), Finished())
        hits = await ask_again(member(system, "saboteur"), Confess())
        assert hits.workers + hits.collectors == len(plan.strikes)
        assert system.statistics().crashes >= len(plan.strikes)
        assert await is_equal(system, root)
        assert os.listdir(temporary) != []
    assert os.listdir(temporary) == []


@pytest.mark.trio
async def test_strikes_whose_files_never_come_hit_at_the_end(tmp_path: Path, temporary: Path) -> None:
    root = grow(tmp_path / "tree", 3)
    async with open_system(environment=RealEnvironment(1), intensity=0) as system:
        plan = make_plan(system.environment.random, 100_000)
        await stocktaking(system, root, plan)
        await ask_again(member(system, "dispatcher"), Finished())
        assert system.statistics().crashes == 0
        hits = await ask_again(member(system, "saboteur"), Confess())
        assert hits.workers + hits.collectors == len(plan.strikes)
        assert await is_equal(system, root)


@pytest.mark.trio
async def test_an_empty_directory_has_no_crashes(tmp_path: Path, temporary: Path) -> None:
    root = grow(tmp_path / "tree", 0)
    async with open_system(intensity=0) as system:
        await stocktaking(system, root, Plan())
        await ask_again(member(system, "dispatcher"), Finished())
        assert await ask_again(member(system, "saboteur"), Confess()) == Hits()
        assert await is_equal(system, root)


@pytest.mark.trio
@pytest.mark.parametrize("victim", ["walker", "dispatcher", "saboteur"])
async def test_a_crash_of_anybody_else_loses_nothing_either(
    victim: str, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aip_trio.cli.demo._tree.Walker", MortalWalker)
    monkeypatch.setattr("aip_trio.cli.demo._tree.Dispatcher", MortalDispatcher)
    monkeypatch.setattr("aip_trio.cli.demo._tree.Saboteur", MortalSaboteur)
    root = grow(tmp_path / "tree", 1000)
    async with open_system(intensity=0) as system:
        await stocktaking(system, root, Plan())
        for _ in range(3):
            await member(system, victim).tell(Blow())
            for _ in range(20):
                await trio.lowlevel.checkpoint()
        await ask_again(member(system, "dispatcher"), Finished())
        assert system.statistics().crashes == 3
        assert await is_equal(system, root)


@pytest.mark.trio
async def test_a_crash_that_no_restart_cures_ends_the_tree(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("no file can be read")

    monkeypatch.setattr("aip_trio.cli.demo._worker.read_files", broken)
    root = grow(tmp_path / "tree", 10)
    with pytest.raises(Exception, match="no file can be read"), trio.fail_after(10):
        async with open_system(intensity=0) as system:
            await stocktaking(system, root, Plan())
            await trio.sleep_forever()
    assert os.listdir(temporary) == []
