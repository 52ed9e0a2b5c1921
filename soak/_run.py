"""One soak: the programs, their network, and what came of it."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

from soak._programs import Broken, Programs
from soak._report import Report
from soak._settings import Settings
from soak._verdict import Ended, Line, judge, read_journal
from soak.tools import JOURNAL

__all__ = ["run"]

#: Seconds between two looks at the programs, and between two words about how it goes.
_LOOK, _WORD = 0.2, 30.0

#: Options of ``aip-trio``.
_PROGRAM = ("--log-level", "info", "--end-with-stdin")

_PROXIES = ("proxy-devices", "proxy-orchestrators")


def run(settings: Settings, say: Callable[[str], None]) -> Report:
    """Soak for as long as the settings say. Raises Broken where a program fails altogether."""
    with Programs(settings.folder) as programs:
        url = _start_server(programs)
        to_devices, to_orchestrators = (_start_proxy(programs, settings, url, name) for name in _PROXIES)
        devices = list(_start_devices(programs, settings, to_devices))
        began = time.monotonic()
        orchestrators = list(_start_orchestrators(programs, settings, to_orchestrators, devices))
        _wait(programs, settings, orchestrators, ["server", *_PROXIES, *devices], say)
        seconds = time.monotonic() - began
        for name in orchestrators:
            programs.end(name)
        for name in (*devices, "server"):
            programs.end(name, signal.SIGTERM)
        network = Counter[str]()
        for name in _PROXIES:
            network.update(json.loads(programs.end(name)))
        network["resumptions"] = programs.said("server", " is resumed over a new connection")
        complaints = programs.complaints()
    ends = list(_ends(settings))
    journals: dict[str, list[Line]] = {}
    for name in devices:  # a stream is of one device
        journals |= read_journal((settings.folder / f"{name}.journal").read_text().splitlines())
    verdict = judge(ends, journals, exactly_once=settings.exactly_once)
    verdict.faults += complaints
    return Report(settings, seconds, verdict, network, sorted(end.seconds for end in ends))


def _start_server(programs: Programs) -> str:
    programs.start("server", "aip_trio", "server", "--port", "0", *_PROGRAM)
    return programs.line("server").removeprefix("listening on ")


def _start_proxy(programs: Programs, settings: Settings, url: str, name: str) -> str:
    """A proxy before the server; the URL that leads through it."""
    options = {
        "port": int(url.rpartition(":")[2].partition("/")[0]),
        "seed": f"{settings.seed} {name}",
        "life": settings.life,
        "offer": settings.offer,
    }
    programs.start(name, "soak.proxy", json.dumps(options))
    return f"ws://127.0.0.1:{programs.line(name)}/ws"


def _start_devices(programs: Programs, settings: Settings, url: str) -> Iterator[str]:
    for number in range(1, settings.devices + 1):
        name = f"device-{number}"
        journal = settings.folder / f"{name}.journal"
        journal.touch()
        arguments = ("--url", url, "--id", name, "--tools", "soak.tools:journal", *_PROGRAM)
        programs.start(name, "aip_trio", "device", *arguments, environment={JOURNAL: str(journal)})
        yield name


def _start_orchestrators(
    programs: Programs, settings: Settings, url: str, devices: list[str]
) -> Iterator[str]:
    for device in devices:
        programs.line(device)  # registered
    for number in range(1, settings.orchestrators + 1):
        name = f"orchestrator-{number}"
        orders = {
            "name": name,
            "url": url,
            "devices": devices,
            "streams": settings.streams,
            "commands": settings.commands,
            "seconds": settings.seconds,
            "patience": settings.patience,
            "retry": not settings.exactly_once,
            "seed": settings.seed,
        }
        programs.start(name, "soak.orchestrator", json.dumps(orders), out=settings.folder / f"{name}.ends")
        yield name


def _wait(
    programs: Programs, settings: Settings, ending: list[str], lasting: list[str], say: Callable[[str], None]
) -> None:
    """Until the orchestrators have ended; none of the others may. Raises Broken."""
    began = word = time.monotonic()
    limit = settings.seconds + 3 * settings.patience
    while any(programs.status(name) is None for name in ending):
        programs.check(*lasting)
        now = time.monotonic()
        if now > began + limit:
            running = ", ".join(name for name in ending if programs.status(name) is None)
            raise Broken(f"{running}: no end within {limit:g} s: see the logs in {settings.folder}")
        if now > word + _WORD:
            word = now
            say(f"{now - began:5.0f} s: {sum(1 for _ in _ends(settings)):,} tasks have ended")
        time.sleep(_LOOK)


def _ends(settings: Settings) -> Iterator[Ended]:
    """What the orchestrators have told so far, in whole lines."""
    for path in sorted(settings.folder.glob("*.ends")):
        for line in path.read_text().split("\n")[:-1]:
            yield Ended(**json.loads(line))
