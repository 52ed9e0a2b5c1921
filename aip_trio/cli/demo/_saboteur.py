"""Who crashes the others."""

import attrs
import trio

from aip_trio.actors import Actor, ActorRef, Request, handles
from aip_trio.cli.demo._asking import ask_again
from aip_trio.cli.demo._messages import Batch, NextBatch
from aip_trio.cli.demo._sabotage import Hit, Manner, Plan, Strike, Victim
from aip_trio.errors import ActorCrashed

__all__ = ["Confess", "Hits", "Saboteur"]


@attrs.frozen
class Hits:
    """How many crashes were made on purpose."""

    workers: int = 0
    collectors: int = 0


@attrs.frozen
class Confess(Request[Hits]):
    """To the saboteur: strike now where a strike is still to come, and say how many there were."""


class Saboteur(Actor):
    """Stands between dispatcher and walker, sees the files go by, and strikes when the plan says so.

    A strike is in its victim's mailbox before the files leave here: a worker that is to be hit at its work
    is hit at these, or later. Each victim has one strike at a time, so that none is lost in the crash of
    another one.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._handed = 0
        self._seen: dict[ActorRef, str] = {}
        self._turns: dict[ActorRef, trio.Lock] = {}
        self._armed: set[ActorRef] = set()
        self._under_way = 0
        self._hits = Hits()
        self._confessing: trio.Event | None = None
        self._worker: ActorRef | None = None

    async def started(self) -> None:
        """Find the siblings."""
        await trio.lowlevel.checkpoint()
        self._walker = self.sibling("walker")
        self._collector = self.sibling("collector")

    @handles
    async def next_batch(self, message: NextBatch) -> Batch | None:
        """Pass it on to the walker, and strike where a strike is due."""
        self._worker = message.worker
        batch = await ask_again(self._walker, message)
        if batch is not None and self._seen.get(message.worker) != batch.id:
            self._seen[message.worker] = batch.id
            self._handed += len(batch.paths)
            strikes, self._plan = self._plan.due(self._handed)
            await self._begin(strikes)
        return batch

    @handles
    async def confess(self, message: Confess) -> Hits:
        """Bring the plan to its end: files may have been fewer than planned for, or the work may be over."""
        self._confessing = trio.Event()
        for victim in self._armed:
            victim.tell_nowait(Hit(Manner.AT_ONCE))
        strikes, self._plan = self._plan.strikes, Plan()
        await self._begin(strikes)
        while self._under_way:
            await self._confessing.wait()
        return self._hits

    async def _begin(self, strikes: tuple[Strike, ...]) -> None:
        await trio.lowlevel.checkpoint()
        for strike in strikes:
            victim = self._collector if strike.victim is Victim.COLLECTOR else self._worker
            if victim is not None:
                await self.nursery.start(self._strike, strike, victim)

    async def _strike(
        self, strike: Strike, victim: ActorRef, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Hit once, when it is this strike's turn; started when it is in the mailbox, or has to wait."""
        self._under_way += 1
        turn = self._turns.setdefault(victim, trio.Lock())
        waits = turn.locked()
        if waits:
            task_status.started()
        async with turn:
            hit = Hit(Manner.AT_ONCE if self._confessing is not None else strike.manner, strike.fuse)
            if hit.manner is Manner.AT_WORK:
                self._armed.add(victim)
            if not waits:
                task_status.started()  # the next statement sends before it waits
            try:
                await victim.ask(hit)
            except ActorCrashed:
                self._count(strike.victim)
            self._armed.discard(victim)
        self._under_way -= 1
        if self._confessing is not None and not self._under_way:
            self._confessing.set()

    def _count(self, victim: Victim) -> None:
        hits = self._hits
        if victim is Victim.WORKER:
            self._hits = attrs.evolve(hits, workers=hits.workers + 1)
        else:
            self._hits = attrs.evolve(hits, collectors=hits.collectors + 1)
