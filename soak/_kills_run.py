"""One soak of kills: a service, its clients, and what came of their commands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec

from soak._kills_report import KillsReport
from soak._kills_settings import KillsSettings
from soak._kills_verdict import Asked, Outcome, judge_kills
from soak._programs import Programs

__all__ = ["run_kills"]


def run_kills(settings: KillsSettings, say: Callable[[str], None]) -> KillsReport:
    """Soak until it was killed so many times. Raises Broken where a program fails altogether."""
    random = Random(settings.seed)
    journal = settings.folder / "service.journal"
    journal.touch()
    with Programs(settings.folder) as programs:
        ports = _start_service(programs, journal, (0, 0))
        orders = {
            "subscriber_port": ports[0],
            "command_port": ports[1],
            "clients": settings.clients,
            "patience": settings.patience,
            "seed": settings.seed,
        }
        out = settings.folder / "clients.ends"
        began = restarted = time.monotonic()
        programs.start("clients", "soak.kills_clients", json.dumps(orders), out=out)
        for kill in range(1, settings.kills + 1):
            time.sleep(random.uniform(0.2, settings.life))
            programs.check("service", "clients")
            programs.kill("service")
            time.sleep(random.uniform(0.0, settings.away))
            _start_service(programs, journal, ports)
            restarted = time.monotonic()
            ran = len(journal.read_text().splitlines())
            say(f"{restarted - began:5.0f} s: killed {kill} times, {ran:,} commands have run")
        time.sleep(settings.settle)
        programs.check("service", "clients")
        programs.end("clients")
        programs.end("service")
        complaints = programs.complaints()
    *lines, last = out.read_text().splitlines()
    asked = [msgspec.json.decode(line, type=Asked) for line in lines]
    verdict = judge_kills(
        asked,
        journal.read_text().splitlines(),
        patience=settings.patience,
        restarted=restarted,
        strays=json.loads(last)["strays"],
    )
    verdict.faults += complaints
    return KillsReport(
        settings,
        round(time.monotonic() - began, 3),
        verdict,
        sorted(each.seconds for each in asked if each.outcome is Outcome.DONE),
    )


def _start_service(programs: Programs, journal: Path, ports: tuple[int, int]) -> tuple[int, int]:
    """Its ports, once it listens."""
    orders = {"journal": str(journal), "subscriber_port": ports[0], "command_port": ports[1]}
    programs.start("service", "soak.kills_service", json.dumps(orders))
    subscriber_port, command_port = json.loads(programs.line("service"))
    return subscriber_port, command_port
