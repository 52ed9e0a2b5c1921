"""A server and its devices, each a process, under one supervisor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar

import attrs
import trio

from aip_trio.actors import Backoff, ChildSpec, Supervisor
from aip_trio.cli.demo._process import Processes
from aip_trio.cli.demo._program import Program
from aip_trio.errors import AipError

__all__ = ["DEVICES", "PATIENCE", "SERVER", "Fleet", "NotUp", "Site"]

SERVER = "server"
DEVICES = ("device-1", "device-2", "device-3")

#: Seconds that a program may take to come up: interpreters start slowly on a busy machine.
PATIENCE = 45.0

#: A process that was killed is started anew after a moment. One that cannot run is given up.
_RESTART = Backoff(initial=0.2, maximum=1.0, jitter=False, max_retries=5, reset_after=5.0)


@attrs.define(slots=False)
class NotUp(AipError):
    """A part of the fleet has not come up."""

    program: str
    seconds: float
    last_line: str

    def __str__(self) -> str:
        told = self.last_line or "it said nothing"
        return f"{self.program} has not come up within {self.seconds:g} s: {told}"


class Site:
    """Where the fleet works, and what its processes share. ``port``: 0 until the server has picked one."""

    def __init__(self, root: str, processes: Processes, token: str) -> None:
        self.root = root
        self.processes = processes
        self.token = processes.share(token.encode())
        self.logs = {name: processes.share() for name in (SERVER, *DEVICES)}
        self.port = 0
        self.url = ""

    def not_up(self, name: str) -> NotUp:
        """The error for a part that has not come up."""
        return NotUp(name, PATIENCE, self.logs[name].last_line())


class ServerProgram(Program):
    """``aip-trio server``; when it is up, it listens. It keeps its port over restarts."""

    default_shutdown: ClassVar[float] = 10.0

    def __init__(self, site: Site) -> None:
        super().__init__(site.processes, site.logs[SERVER], site.token)
        self._site = site
        self._listens = trio.Event()

    def arguments(self) -> Sequence[str]:
        site = self._site
        return [
            SERVER,
            "--json",
            "--log-level=warning",
            f"--port={site.port}",
            f"--token-file={site.token.path}",
        ]

    def heard(self, line: str) -> None:
        told = json.loads(line)
        if "url" not in told:  # why it cannot listen: its end follows
            return
        self._site.url = told["url"]
        self._site.port = int(self._site.url.rpartition(":")[2].partition("/")[0])
        self._listens.set()

    async def ready(self) -> None:
        with trio.move_on_after(PATIENCE):
            await self._listens.wait()
            return
        raise self._site.not_up(SERVER)


class DeviceProgram(Program):
    """``aip-trio device``; it registers when it can, and again when it has to."""

    default_shutdown: ClassVar[float] = 10.0

    def __init__(self, site: Site, name: str) -> None:
        super().__init__(site.processes, site.logs[name], site.token)
        self._site = site
        self._name = name

    def arguments(self) -> Sequence[str]:
        site = self._site
        return [
            "device",
            "--json",
            "--log-level=info",
            f"--url={site.url}",
            f"--id={self._name}",
            f"--root={site.root}",
            f"--token-file={site.token.path}",
        ]


class Fleet(Supervisor):
    """One for one: who dies comes back, and the others go on. One that cannot come back is its end."""

    def __init__(self, site: Site) -> None:
        super().__init__(intensity=0)
        self._site = site

    def children(self) -> Iterable[ChildSpec]:
        """The server first: the devices need its port. They are added by their names, and stop together."""
        yield ChildSpec(SERVER, ServerProgram, self._site, backoff=_RESTART)
        device = ChildSpec("device", DeviceProgram, self._site, backoff=_RESTART)
        yield ChildSpec("devices", partial(Supervisor, device, strategy="simple_one_for_one"))
