"""The demo from end to end: its processes, what it shows, and that nothing is left behind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import trio

from aip_trio.actors import Backoff
from aip_trio.cli import main
from aip_trio.cli.demo import _demo, _fleet, _process
from aip_trio.cli.demo._demo import Demo
from aip_trio.cli.demo._fleet import DeviceProgram
from aip_trio.cli.demo._report import Report
from tests.cli.demo.test_report import LOST
from tests.cli.programs import PROGRAM, children_of, gone, running
from tests.cli.trees import grow


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo's processes would leave files."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    assert tempfile.gettempdir() != str(directory)  # only its children look there
    return directory


@pytest.fixture
def tree(tmp_path: Path) -> str:
    return str(grow(tmp_path / "tree", 120))


def test_three_runs_are_equal_to_plain_code(tree: str, temporary: Path) -> None:
    with running("demo", "--json", "--seed", "5", "--root", tree) as process:
        told, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert told.count("\n") == 1
    outcome = json.loads(told)
    assert (outcome["equal"], outcome["seed"], outcome["files"]) == (True, 5, 120)
    assert outcome["hashed"] == 120
    assert outcome["changed_meanwhile"] == outcome["limits"] == []
    assert outcome["unreadable"] == [{"path": r"\xff\xfe.bin", "error": "its name is not UTF-8"}]
    peace, device, server = outcome["runs"]
    for run in outcome["runs"]:
        assert run["equal"]
        assert run["differences"] == []
        assert run["asked"] == run["done"] == sum(run["done_by"].values()) > 6
        assert run["load"].keys() == run["done_by"].keys() == {"device-1", "device-2", "device-3"}
    assert (peace["killed"], peace["retried"], peace["recovery"]) == (None, 0, None)
    assert re.fullmatch(r"device-[123] \(pid \d+\)", device["killed"])
    assert re.fullmatch(r"server \(pid \d+\)", server["killed"])
    assert device["recovery"] > 0
    assert server["recovery"] > 0
    assert server["retried"] > 0
    assert os.listdir(temporary) == []


def test_a_wrong_inventory_is_status_1(
    tree: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def perform(self: Demo) -> Report:
        await trio.lowlevel.checkpoint()
        return LOST

    monkeypatch.setattr(Demo, "perform", perform)
    assert main(["demo", "--root", tree]) == 1
    assert capsys.readouterr().out.endswith("\nNOT as plain code says: the server is killed\n")


def test_a_killed_demo_leaves_nothing(tree: str, temporary: Path) -> None:
    with running("demo", "--root", tree, FORCE_COLOR="1", PYTHONIOENCODING="ascii") as process:
        lines = until(process, "restarted  device-")
        left = children_of(process)
        assert len(left) == 4
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate(timeout=30)
        assert gone(left, 10)
    assert errors == ""
    assert os.listdir(temporary) == []
    assert lines[0].startswith(f"inventory of {tree}: about 120 files, seed ")
    assert any(re.match(r"killed     device-[123] \(pid \d+\)", line) for line in lines)
    assert any(re.match(r"died       device-[123] \(pid \d+\) was killed by SIGKILL", line) for line in lines)
    assert not any("\x1b" in line for line in lines)


def until(process: "subprocess.Popen[str]", beginning: str) -> list[str]:
    """The lines that it writes up to this one."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(beginning):
            return lines
    raise AssertionError(lines)


def test_a_terminal_shows_the_live_tree_and_ctrl_c_ends_it_in_order(tree: str, temporary: Path) -> None:
    ours, theirs = os.openpty()
    with open(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [*PROGRAM, "demo", "--root", tree],
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        )
        os.close(theirs)
        with process:
            told = b""
            left: list[psutil.Process] = []
            with contextlib.suppress(OSError):  # how a terminal's other end tells that all have left
                while chunk := screen.read(65536):
                    told += chunk
                    if b"killed     server" in told and not left:
                        left = children_of(process)
                        process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert len(left) >= 3
    assert not any(child.is_running() for child in left)
    assert os.listdir(temporary) == []
    shown = told.decode()
    assert "│     ├─ device-1  DeviceProgram  running" in shown
    assert "└─ constellation  Tree  running" in shown
    assert "a device is killed: " in shown
    assert b"\x1b[?25h" in told  # the cursor is back


def test_a_fleet_that_cannot_start_says_why(
    tree: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    born: Callable[[], list[psutil.Process]],
) -> None:
    monkeypatch.setattr(_process, "_interpreter", lambda: [sys.executable, "-I", "-S"])
    assert main(["demo", "--root", tree]) == 1
    errors = capsys.readouterr().err
    assert "server (pid " in errors
    assert "No module named " in errors
    assert errors.count("\n") == 1
    assert born() == []


def broken(program: DeviceProgram) -> list[str]:
    """A device that cannot run."""
    return ["device", "--url=nonsense", "--id=x"]


def test_a_device_that_cannot_run_ends_the_demo_with_its_last_words(
    tree: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    born: Callable[[], list[psutil.Process]],
) -> None:
    monkeypatch.setattr(_fleet, "_RESTART", Backoff(initial=0.01, max_retries=1))
    monkeypatch.setattr(DeviceProgram, "arguments", broken)
    assert main(["demo", "--root", tree, "--log-level", "critical"]) == 1
    errors = capsys.readouterr().err
    assert "ended with exit status 2: aip-trio: error: url='nonsense'" in errors
    assert errors.count("\n") == 1
    assert born() == []


def lost(program: DeviceProgram) -> list[str]:
    """A device that looks for its server where nobody is."""
    return ["device", "--url=ws://127.0.0.1:1/", "--id=x"]


def test_a_device_that_does_not_come_up_is_named(
    tree: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    born: Callable[[], list[psutil.Process]],
) -> None:
    monkeypatch.setattr(_demo, "PATIENCE", 1.0)
    monkeypatch.setattr(DeviceProgram, "arguments", lost)
    assert main(["demo", "--root", tree]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert [error.split()[2] for error in errors] == ["device-1", "device-2", "device-3"]
    assert all("has not come up within" in error for error in errors)
    assert born() == []
