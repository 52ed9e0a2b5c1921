"""Crashes on purpose: when, whom and how is decided beforehand, from the seed."""

from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from random import Random

import attrs
import trio

from aip_trio.actors import Actor, Reply, Request, handles

__all__ = ["Fragile", "Hit", "Manner", "Plan", "Sabotage", "Strike", "Victim", "make_plan"]

#: How many strikes there are, from and to.
WORKER_STRIKES = (3, 6)
COLLECTOR_STRIKES = (2, 3)
#: Seconds into a victim's work, at most, after which it is struck.
_LONGEST_FUSE = 0.004


class Sabotage(Exception):
    """A planned crash."""


class Victim(Enum):
    """Whom a strike hits."""

    WORKER = "worker"  #: the one that is about to get files
    COLLECTOR = "collector"


class Manner(Enum):
    """How a strike hits."""

    AT_ONCE = "between two messages"  #: as soon as its message is handled
    AT_WORK = "at its work"  #: a task in its nursery waits for its next work, and then fails


@attrs.frozen
class Strike:
    """One planned crash, when file number ``at`` (from 0) is handed out."""

    at: int
    victim: Victim
    manner: Manner
    fuse: float


@attrs.frozen
class Plan:
    """The strikes to come, in order."""

    strikes: tuple[Strike, ...] = ()

    def due(self, handed: int) -> tuple[tuple[Strike, ...], "Plan"]:
        """The strikes that are due when so many files have been handed out, and the plan without them."""
        now = tuple(strike for strike in self.strikes if strike.at < handed)
        return now, Plan(self.strikes[len(now) :])


def make_plan(random: Random, files: int) -> Plan:
    """Strikes for a directory of about so many files: workers all the time, the collector from the middle.

    Without a file there is nothing to be crashed at. The first strike of each kind hits its victim at
    its work.
    """
    if files <= 0:
        return Plan()
    strikes = [
        *_strikes(random, Victim.WORKER, random.randint(*WORKER_STRIKES), 0, files),
        *_strikes(random, Victim.COLLECTOR, random.randint(*COLLECTOR_STRIKES), files // 2, files),
    ]
    return Plan(tuple(sorted(strikes, key=lambda strike: strike.at)))


def _strikes(random: Random, victim: Victim, count: int, start: int, stop: int) -> list[Strike]:
    moments = sorted(random.randrange(start, stop) for _ in range(count))
    manners = [Manner.AT_WORK, *(random.choice(list(Manner)) for _ in moments[1:])]
    fuses = [random.choice((0.0, random.uniform(0.0, _LONGEST_FUSE))) for _ in moments]
    return [
        Strike(moment, victim, manner, fuse)
        for moment, manner, fuse in zip(moments, manners, fuses, strict=True)
    ]


@attrs.frozen
class Hit(Request[None]):
    """To a victim: crash. The only answer to it is ActorCrashed."""

    manner: Manner
    fuse: float = 0.0


class Fragile(Actor):
    """An actor that can be crashed by a message."""

    def __init__(self) -> None:
        self._work = trio.Event()

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Handlers that may be hit do their work inside of this."""
        self._work.set()
        try:
            yield
        finally:
            self._work = trio.Event()

    @handles
    async def hit(self, message: Hit, reply: Reply[None]) -> None:
        """Crash, at once or later."""
        await trio.lowlevel.checkpoint()
        if message.manner is Manner.AT_ONCE:
            raise Sabotage(message.manner.value)
        await self.nursery.start(self._burn, message, reply)  # it waits before the next message is taken

    async def _burn(
        self, message: Hit, reply: Reply[None], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Wait for the next work, and crash it; ``reply`` is kept, so that the crash is its answer."""
        task_status.started()
        await self._work.wait()
        if message.fuse:
            await trio.sleep(message.fuse)
        raise Sabotage(message.manner.value)
