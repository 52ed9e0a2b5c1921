"""The soak of kills, for seconds: its programs, a few kills, its verdict."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from soak._kills_report import KillsReport
from soak._kills_run import run_kills
from soak._kills_settings import KillsSettings
from soak._kills_verdict import KillsVerdict, Outcome


def test_no_command_runs_twice_and_no_client_is_stuck(tmp_path: Path) -> None:
    settings = KillsSettings(kills=3, seed=5, folder=tmp_path, clients=6, life=0.8, away=0.3, settle=1.0)
    report = run_kills(settings, print)
    assert report.faults == [], "\n".join(report.lines())
    assert report.verdict.outcomes[Outcome.DONE] > 50
    assert any("faults       none" in line for line in report.lines())
    assert json.loads(json.dumps(report.data()))["faults"] == []


def test_a_soak_in_which_nothing_happened_is_none(tmp_path: Path) -> None:
    settings = KillsSettings(kills=1, seed=1, folder=tmp_path)

    def faults(**outcomes: int) -> list[str]:
        verdict = KillsVerdict(outcomes=Counter({Outcome(name): count for name, count in outcomes.items()}))
        report = KillsReport(settings, 1.0, verdict, [])
        assert (str(tmp_path) in "".join(report.lines())) == bool(report.faults)
        return [fault.partition(":")[0] for fault in report.faults]

    assert faults() == ["no command was answered", "no command was lost"]
    assert faults(done=5) == ["no command was lost"]
    assert faults(done=5, lost=1) == []


def test_the_command_line_shows_what_it_takes() -> None:
    command = [sys.executable, "-m", "soak.kills", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for option in ("--kills", "--clients", "--seed", "--life", "--folder"):
        assert option in told
