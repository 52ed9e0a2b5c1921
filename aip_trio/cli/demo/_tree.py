"""The tree of the inventory's actors."""

import shutil
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import attrs
import trio

from aip_trio.actors import Backoff, ChildSpec, StopReason, Supervisor
from aip_trio.cli._output import Output, View
from aip_trio.cli.demo._collector import Collector
from aip_trio.cli.demo._dispatcher import Dispatcher
from aip_trio.cli.demo._journal import Journal
from aip_trio.cli.demo._reporter import Reporter
from aip_trio.cli.demo._sabotage import Plan
from aip_trio.cli.demo._saboteur import Saboteur
from aip_trio.cli.demo._walker import Walker
from aip_trio.cli.demo._worker import Worker

__all__ = ["Order", "Stocktaking"]

#: Crashes beyond the planned ones that a supervisor bears with before it gives up.
_UNPLANNED = 3

#: A dispatcher whose worker or collector has ended for good crashes too. It comes back late and often, so
#: that the supervisor gives up on the cause, not on it.
_CAUSES_FIRST = Backoff(initial=0.05, maximum=0.5, jitter=False, max_retries=10)


@attrs.frozen
class Order:
    """What is to be done; ``expected`` is about how many files there are."""

    root: str
    workers: int
    plan: Plan
    expected: int


class Stocktaking(Supervisor):
    """Takes the inventory of a directory.

    ::

        stocktaking      one_for_one
        ├─ collector     keeps what was found, in a journal
        ├─ workers       simple_one_for_one: worker-1, worker-2, …
        ├─ walker        finds the files
        ├─ saboteur      passes them on, and strikes
        ├─ reporter      shows how far it is
        └─ dispatcher    leads each batch from walker to worker to collector

    Planned crashes never escalate: a victim's backoff has more retries than there are strikes, and
    restarts with a backoff do not count towards the intensity. What reads is stopped brutally, because
    what it has in hand is worth nothing at the end. The journal's directory is made before the first
    child starts, and removed after the last one has ended.
    """

    def __init__(self, order: Order, output: Output, view: View) -> None:
        super().__init__(intensity=_UNPLANNED)
        self._order = order
        self._output = output
        self._view = view
        self._directory: str | None = None

    async def started(self) -> None:
        """Make the journal's directory."""
        self._directory = await trio.to_thread.run_sync(partial(tempfile.mkdtemp, prefix="aip-trio-demo-"))

    def children(self) -> Iterable[ChildSpec]:
        """In order of start: each finds those before it."""
        assert self._directory is not None
        order = self._order
        threads = trio.CapacityLimiter(order.workers + 1)  # the walker needs one too
        patience = Backoff(
            initial=0.002, maximum=0.02, max_retries=len(order.plan.strikes) + _UNPLANNED, reset_after=300.0
        )
        worker = ChildSpec("worker", Worker, order.root, threads, backoff=patience, shutdown="brutal")
        return (
            ChildSpec("collector", Collector, Journal(Path(self._directory, "journal")), backoff=patience),
            ChildSpec("workers", partial(Supervisor, worker, strategy="simple_one_for_one")),
            ChildSpec("walker", Walker, order.root, threads, shutdown="brutal"),
            ChildSpec("saboteur", Saboteur, order.plan),
            ChildSpec("reporter", Reporter, self._output, self._view, order.expected, overflow="drop_oldest"),
            ChildSpec("dispatcher", Dispatcher, "saboteur", order.workers, backoff=_CAUSES_FIRST),
        )

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Remove the journal."""
        await trio.lowlevel.checkpoint()
        if self._directory is not None:
            await trio.to_thread.run_sync(shutil.rmtree, self._directory)
