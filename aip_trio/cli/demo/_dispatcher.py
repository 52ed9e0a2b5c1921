"""Who sees to it that every file is looked at."""

import trio

from aip_trio.actors import Actor, ActorRef, Reply, SupervisorRef, handles
from aip_trio.cli.demo._asking import ask_again
from aip_trio.cli.demo._inventory import Findings
from aip_trio.cli.demo._messages import Finished, Hash, NextBatch, Record, Rewind

__all__ = ["Dispatcher"]


class Dispatcher(Actor):
    """Leads each batch from the walker over a worker to the collector, in one lane for each worker.

    A lane asks again whenever an actor crashes over its request. All of these requests may be handled
    twice: a worker then reads the files again, the collector keeps one entry for each path. Should the
    dispatcher itself crash, it begins with a new walk, for the same reason.
    """

    def __init__(self, source: str, lanes: int) -> None:
        self._source_name = source
        self._lanes = lanes
        self._left = lanes
        self._done = trio.Event()

    async def started(self) -> None:
        """Rewind the walker, and open the lanes."""
        await self.sibling("walker").ask(Rewind())
        self._source = self.sibling(self._source_name)
        self._collector = self.sibling("collector")
        self._reporter = self.sibling("reporter")
        for worker in await self._workers():
            self.nursery.start_soon(self._lane, worker)

    async def _workers(self) -> list[ActorRef]:
        """One for each lane: those of an earlier incarnation, and new ones."""
        await trio.lowlevel.checkpoint()
        supervisor = self.sibling("workers")
        assert isinstance(supervisor, SupervisorRef)
        present = [child.ref for child in supervisor.which_children()]
        numbers = range(len(present), self._lanes)
        return present + [await supervisor.start_child_with(name=f"worker-{n + 1}") for n in numbers]

    async def _lane(self, worker: ActorRef) -> None:
        done: str | None = None
        while (batch := await ask_again(self._source, NextBatch(worker, done))) is not None:
            found = await ask_again(worker, Hash(batch.paths))
            findings = Findings(found.entries, found.unreadable + batch.unreadable)
            self._reporter.tell_nowait(await ask_again(self._collector, Record(findings)))
            done = batch.id
        self._left -= 1
        if not self._left:
            self._done.set()

    @handles
    async def finished(self, message: Finished, reply: Reply[None]) -> None:
        """Answer when every lane has come to the end."""
        await trio.lowlevel.checkpoint()
        self.nursery.start_soon(self._answer, reply)

    async def _answer(self, reply: Reply[None]) -> None:
        await self._done.wait()
        reply.send(None)
