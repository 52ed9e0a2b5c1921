"""An actor that is a process."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import attrs
import trio

from aip_trio.actors import Actor, Request, StopReason, handles
from aip_trio.cli.demo._process import Process, Processes, SharedFile
from aip_trio.errors import AipError

__all__ = ["Kill", "Program", "ProgramEnded"]


@attrs.define(slots=False)
class ProgramEnded(AipError):
    """A process that was to go on has ended. ``status``: minus a signal's number, where one ended it."""

    program: str
    pid: int
    status: int
    last_line: str

    def __str__(self) -> str:
        if self.status < 0:
            return f"{self.program} (pid {self.pid}) was killed by {signal.Signals(-self.status).name}"
        told = f": {self.last_line}" if self.last_line else ""
        return f"{self.program} (pid {self.pid}) ended with exit status {self.status}{told}"


@attrs.frozen
class Kill(Request[int]):
    """To a program: die by SIGKILL. Answered with the id of the process."""


class Program(Actor):
    """Runs a process: starts it, ends it in order, and crashes when it dies by itself."""

    def __init__(self, processes: Processes, log: SharedFile, *handed: SharedFile) -> None:
        self._processes = processes
        self._log = log
        self._handed = handed
        self._process: Process | None = None
        self._ending = False

    def arguments(self) -> Sequence[str]:
        """What comes after the program's name; asked for at each start."""
        raise NotImplementedError

    def heard(self, line: str) -> None:
        """It wrote a line to standard output."""

    async def ready(self) -> None:
        """Called when it has been started; the actor counts as up when this returns."""
        await trio.lowlevel.checkpoint()

    async def started(self) -> None:
        """Start the process."""
        process = self._process = self._processes.start(self.arguments(), self._handed, self._log)
        self.nursery.start_soon(process.read, self.heard)
        self.nursery.start_soon(self._watch, process)
        await self.ready()

    async def _watch(self, process: Process) -> None:
        await process.wait()
        if self._ending:
            return
        name = self.path.rpartition("/")[2]
        raise ProgramEnded(name, process.pid, process.reap(), self._log.last_line())

    @handles
    async def kill(self, message: Kill) -> int:
        """The crash follows."""
        await trio.lowlevel.checkpoint()
        assert self._process is not None
        self._process.signal(signal.SIGKILL)
        return self._process.pid

    async def stopping(self, reason: StopReason | BaseException) -> None:
        """Leave nothing behind."""
        await trio.lowlevel.checkpoint()
        self._ending = True
        if self._process is not None:
            await self._process.end()
