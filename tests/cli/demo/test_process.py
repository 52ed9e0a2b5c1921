"""The demo as a process of its own: streams, signals, exit status."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.cli.programs import PROGRAM, running
from tests.cli.trees import grow


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    assert tempfile.gettempdir() != str(directory)  # only its children look there
    return directory


@pytest.fixture
def endless(tmp_path: Path) -> str:
    """A directory whose inventory takes for ever: a file of a terabyte, almost all of it a hole."""
    root = tmp_path / "endless"
    root.mkdir()
    with (root / "huge").open("wb") as file:
        file.truncate(10**12)
    return str(root)


def test_plain_output_has_no_escape_codes(tmp_path: Path, temporary: Path) -> None:
    root = grow(tmp_path / "tree", 40)
    with running("demo", "--root", str(root), FORCE_COLOR="1", PYTHONIOENCODING="ascii") as process:
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors == ""
    assert "\x1b" not in told
    assert told.splitlines()[-1].split() == ["equal", "yes"]
    assert "restarted  /stocktaking/collector (1)" in told
    assert os.listdir(temporary) == []


def test_a_terminal_shows_the_live_tree_and_tables(tmp_path: Path) -> None:
    root = grow(tmp_path / "tree", 3000)
    ours, theirs = os.openpty()
    with open(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [*PROGRAM, "demo", "--root", str(root)],
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        )
        os.close(theirs)
        with process:
            told = b""
            with contextlib.suppress(OSError):  # how a terminal's other end tells that all have left
                while chunk := screen.read(65536):
                    told += chunk
    assert process.returncode == 0
    assert "├─ collector  Collector  " in told.decode()  # in whichever state it was just then
    *_, verdict, _ = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told.decode()).splitlines()
    assert re.fullmatch("│ equal +│ yes +│", verdict)
    assert b"\x1b[?25h" in told  # the cursor is back


def test_json_is_one_object(tmp_path: Path) -> None:
    root = grow(tmp_path / "tree", 40)
    with running("demo", "--json", "--seed", "5", "--workers", "3", "--root", str(root)) as process:
        told, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert told.count("\n") == 1
    outcome = json.loads(told)
    assert (outcome["equal"], outcome["seed"], outcome["workers"]) == (True, 5, 3)


def test_a_bad_root_is_one_line(tmp_path: Path) -> None:
    with running("demo", "--root", str(tmp_path / "missing")) as process:
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert told == ""
    assert errors.count("\n") == 1
    assert errors.startswith("aip-trio: error: root=")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_of_the_work_stops_in_order(
    number: signal.Signals, status: int, endless: str, temporary: Path
) -> None:
    with running("demo", "--root", endless) as process:
        assert process.stdout is not None
        assert any(line.startswith("restarted  /stocktaking/workers") for line in process.stdout)
        assert os.listdir(temporary) != []
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert time.monotonic() - began < 2.0
    assert process.returncode == status
    assert errors == ""
    assert os.listdir(temporary) == []


def test_two_signals_leave_nothing_behind_either(endless: str, temporary: Path) -> None:
    with running("demo", "--root", endless) as process:
        assert process.stdout is not None
        assert any(line.startswith("restarted  /stocktaking/workers") for line in process.stdout)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode in (130, 143)  # which of two pending signals is delivered first, nobody says
    assert errors == ""
    assert os.listdir(temporary) == []


def test_a_reader_that_goes_away_ends_it_quietly(endless: str, temporary: Path) -> None:
    with running("demo", "--root", endless) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 141
    assert os.listdir(temporary) == []


def test_the_tree_may_hold_the_program_itself(tmp_path: Path) -> None:
    """No bytecode is written into the tree once it is looked at."""
    package = Path(__file__).parents[3] / "aip_trio"
    shutil.copytree(package, tmp_path / "aip_trio", ignore=shutil.ignore_patterns("__pycache__"))
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    run = subprocess.run(
        [*PROGRAM, "demo", "--json", "--root", str(tmp_path)],
        cwd=tmp_path,
        env={**ours, "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    outcome = json.loads(run.stdout)
    assert outcome["changed_meanwhile"] == []
    assert any(kind["extension"] == ".pyc" for kind in outcome["types"])  # it did run from there
