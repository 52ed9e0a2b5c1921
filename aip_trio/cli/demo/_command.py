"""The command ``demo``."""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import attrs
import trio
import typer

from aip_trio.actors import ActorRef, ActorSystem, RealEnvironment, Statistics, SupervisorRef
from aip_trio.cli._output import Output
from aip_trio.cli._shell import Shell
from aip_trio.cli._text import printable
from aip_trio.cli.demo._asking import ask_again
from aip_trio.cli.demo._comparison import compare
from aip_trio.cli.demo._inventory import Inventory
from aip_trio.cli.demo._messages import Everything, Finished, Hash
from aip_trio.cli.demo._plain import glance, look
from aip_trio.cli.demo._report import Report
from aip_trio.cli.demo._sabotage import Sabotage, make_plan
from aip_trio.cli.demo._saboteur import Confess, Hits
from aip_trio.cli.demo._tree import Order, Stocktaking
from aip_trio.errors import ActorStopped, InvalidOption

__all__ = ["check_root", "demo"]

R = TypeVar("R")

_SEEDS = 2**32


def demo(
    shell: Shell,
    root: Annotated[Path, typer.Option(help="The directory to take the inventory of.")] = Path("."),
    seed: Annotated[
        int | None, typer.Option(help="Decides when who is crashed; by chance if absent.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="How many read at the same time.")
    ] = None,
) -> int:
    """Take the inventory of a directory while its actors are crashed, and check it with plain code.

    Exit status 0: both are equal. 1: they are not.
    """
    directory = check_root(root)
    if seed is None:
        seed = RealEnvironment().random.randrange(_SEEDS)
    task = Task(directory, seed, workers or _default_workers(), shell.output)
    shell.log.expect(Sabotage)
    with _no_bytecode():
        # A tree that gives up is never started again: what it ended with is the answer.
        report = shell.run(task.perform, environment=RealEnvironment(seed), intensity=0)
    shell.output.result(report.data(), report.picture, report.lines())
    return 0 if report.equal else 1


def check_root(root: Path) -> str:
    """The directory's real path. Raises InvalidOption where it is none, or cannot be listed."""
    try:
        with os.scandir(root):
            return os.path.realpath(root)
    except FileNotFoundError:
        reason = "does not exist: give a directory that does"
    except NotADirectoryError:
        reason = "is no directory: give one, such as the one that it is in"
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        reason = f"cannot be read ({told}): give a directory that you may list"
    raise InvalidOption("root", root, reason)


def _default_workers() -> int:
    """As many as there are processors for this process, 2 to 8."""
    if sys.platform == "win32" or sys.platform == "darwin":
        count = os.cpu_count() or 1
    else:
        count = len(os.sched_getaffinity(0))
    return max(2, min(8, count))


@contextmanager
def _no_bytecode() -> Generator[None]:
    """Keep Python from writing into the tree that is looked at, which may be its own."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@attrs.frozen
class Task:
    """One run of the demo."""

    root: str
    seed: int
    workers: int
    output: Output

    async def perform(self, system: ActorSystem) -> Report:
        """See what is there, take the inventory with actors, then with plain code, and compare."""
        began = int(system.environment.now().timestamp() * 1_000_000_000)
        before = await _in_thread(glance, self.root)
        expected = len(before.stamps)
        self.output.line(
            f"inventory of {printable(self.root)}: about {expected:,} files,"
            f" {self.workers} workers, seed {self.seed}"
        )
        plan = make_plan(system.environment.random, expected)
        start = trio.current_time()
        inventory, hits, statistics = await self._by_actors(
            system, Order(self.root, self.workers, plan, expected)
        )
        middle = trio.current_time()
        self.output.line("the same by plain code")
        plain = await _in_thread(look, self.root)
        end = trio.current_time()
        comparison = await trio.to_thread.run_sync(
            partial(compare, inventory, plain, before=before, began=began)
        )
        return Report(
            root=self.root,
            seed=self.seed,
            workers=self.workers,
            comparison=comparison,
            unreadable=tuple(sorted(inventory.unreadable.items())),
            hits=hits,
            statistics=statistics,
            actors_time=middle - start,
            plain_time=end - middle,
        )

    async def _by_actors(self, system: ActorSystem, order: Order) -> tuple[Inventory, Hits, Statistics]:
        with self.output.view() as view:
            tree = await system.spawn(Stocktaking, order, self.output, view, name="stocktaking")
            try:
                await ask_again(_member(system, "dispatcher"), Finished())
                hits = await ask_again(_member(system, "saboteur"), Confess())
                await _all_back(system)
                inventory = await ask_again(_member(system, "collector"), Everything())
            except ActorStopped:
                # It has given up: why, which cancels this task, is what to tell.
                await tree.stopped()  # noqa: ASYNC120
                await trio.lowlevel.checkpoint()  # noqa: ASYNC120
                raise
            statistics = system.statistics()
            await tree.stop()
        return inventory, hits, statistics


async def _in_thread(work: Callable[[str, Callable[[], None]], R], root: str) -> R:
    """Do it in a worker thread, which ends early when the task is cancelled."""
    return await trio.to_thread.run_sync(work, root, trio.from_thread.check_cancelled)


def _member(system: ActorSystem, name: str) -> ActorRef:
    ref = system.find(f"/stocktaking/{name}")
    assert ref is not None
    return ref


async def _all_back(system: ActorSystem) -> None:
    """Wait for the restarts that are under way: every worker answers again."""
    await trio.lowlevel.checkpoint()
    workers = _member(system, "workers")
    assert isinstance(workers, SupervisorRef)
    for child in workers.which_children():
        await ask_again(child.ref, Hash(()))
