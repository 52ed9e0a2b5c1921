"""A Trio run in virtual time that cannot hang, and knows what it leaves behind."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Generator

import trio
from outcome import Error
from trio.lowlevel import Task, reschedule, spawn_system_task
from trio.testing import MockClock

__all__ = ["PATIENCE", "run"]

#: Seconds of virtual time; all that is slow takes a few.
PATIENCE = 100_000.0


class Hangs(Exception):
    """Raised in every task that waits, when nothing has happened for long."""


class Tasks(trio.abc.Instrument):
    """Those that are alive."""

    def __init__(self) -> None:
        self.alive: set[Task] = set()

    def task_spawned(self, task: Task) -> None:
        self.alive.add(task)

    def task_exited(self, task: Task) -> None:
        self.alive.discard(task)


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run it without its log; a hang, shielded or not, and a task that is left are AssertionErrors."""
    tasks = Tasks()

    async def bounded() -> None:
        spawn_system_task(_watch, tasks, trio.lowlevel.current_task())
        await trio.lowlevel.checkpoint()
        before = set(tasks.alive)
        await main()
        if tasks.alive != before:
            raise AssertionError(f"tasks are left: {tasks.alive - before}")

    with _silence():
        try:
            trio.run(bounded, clock=MockClock(autojump_threshold=0), instruments=[tasks])
        except* Hangs as hangs:
            raise AssertionError("it hangs") from hangs


async def _watch(tasks: Tasks, main: Task) -> None:
    others = set(tasks.alive)
    await trio.sleep(2 * PATIENCE)
    while True:  # whenever the clock has jumped, every task waits
        for task in (tasks.alive - others) or {main}:
            reschedule(task, Error(Hangs()))
        await trio.sleep(1.0)


@contextlib.contextmanager
def _silence() -> Generator[None]:
    """Thousands of crashes that are meant need not be logged."""
    logger = logging.getLogger("aip_trio.actors")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False
