"""The whole soak, for seconds: its programs, a network with a fixed seed, its verdict."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import attrs
import pytest

from soak._programs import Broken, Programs
from soak._report import Report
from soak._run import run
from soak._settings import Settings
from soak._verdict import Verdict

#: So many seconds of tasks; the rest is coming up and going down.
SECONDS = 8.0


def test_nothing_is_lost_over_a_network_that_breaks(tmp_path: Path) -> None:
    settings = Settings(seconds=SECONDS, seed=20, folder=tmp_path, devices=2, life=1.0)
    report = run(settings, print)
    assert list(report.faults) == [], "\n".join(report.lines())
    assert report.verdict.tasks > 20
    assert report.cuts > 10
    assert report.network["resumptions"] > 10
    assert any("faults       none" in line for line in report.lines())
    assert json.loads(json.dumps(report.data()))["faults"] == []


def report(tmp_path: Path, **network: int) -> Report:
    settings = Settings(seconds=1, seed=1, folder=tmp_path)
    return Report(settings, 1.0, Verdict(tasks=1), Counter(network), [0.5])


def test_a_soak_of_nothing_is_none(tmp_path: Path) -> None:
    nothing = attrs.evolve(report(tmp_path), verdict=Verdict(), latencies=[])
    assert [fault.partition(":")[0] for fault in nothing.faults] == [
        "no task has ended",
        "the network was never broken",
    ]
    assert any(str(tmp_path) in line for line in nothing.lines())
    assert report(tmp_path, drop=1).faults == []
    assert "version 1" in report(tmp_path, drop=1, **{"link aip.v1": 2}).faults[0]


def test_a_program_that_does_not_come_up_is_told_of(tmp_path: Path) -> None:
    with Programs(tmp_path) as programs:
        programs.start("server", "aip_trio", "server", "--host", "0.0.0.0")
        with pytest.raises(Broken, match=r"server ended before it was ready: see .*--insecure"):
            programs.line("server")
        with pytest.raises(Broken, match="server ended by itself, with exit status 2"):
            programs.check("server")


def test_the_command_line_shows_what_it_takes() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "soak", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in ("--minutes", "--seed", "--link", "--life", "--folder"):
        assert option in told
