"""The soak of events, for seconds: its programs, one subscriber that is stopped, its verdict."""

import json
import subprocess
import sys
from pathlib import Path

from soak._events_report import EventsReport
from soak._events_run import run_events
from soak._events_settings import EventsSettings
from soak._events_verdict import EventsVerdict, Heard


def test_one_that_is_stopped_disturbs_nobody_and_knows_what_it_has_missed(tmp_path: Path) -> None:
    settings = EventsSettings(
        folder=tmp_path,
        events=24_000,
        size=2_000,  # more is published than the system's buffers hold
        subscribers=3,
        rate=4_000.0,
        replay=4_000,
        send_limit=1_000,
        pause=4.0,
        delay=5.0,
    )
    report = run_events(settings, print)
    assert report.faults == [], "\n".join(report.lines())
    assert any("faults       none" in line for line in report.lines())
    assert json.loads(json.dumps(report.data()))["faults"] == []


def test_a_report_of_one_subscriber_has_no_others(tmp_path: Path) -> None:
    heard = Heard("a", 10, 1, 5, 15, 2.0, {"p50": 0.1, "p99": 0.2, "worst": 0.3}, [])
    settings = EventsSettings(folder=tmp_path)
    report = EventsReport(settings, 1.0, {"seconds": 1.0, "refused": 0}, [heard], EventsVerdict(["x"]), 1.0)
    lines = "\n".join(report.lines())
    assert "others" not in lines
    assert "5 told as lost in 1 gaps" in lines
    assert str(tmp_path) in lines


def test_the_command_line_shows_what_it_takes() -> None:
    command = [sys.executable, "-m", "soak.events", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for option in ("--events", "--subscribers", "--rate", "--replay", "--pause", "--delay", "--folder"):
        assert option in told
