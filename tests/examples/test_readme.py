"""The README's Python blocks run as they stand, and print the ``text`` block that follows each."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PAIRS = re.findall(r"^```python\n(.*?)^```$.*?^```text\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
MAIN_JOB = "python3 -m venv .venv && .venv/bin/pip install -q '.[all]' && .venv/bin/aip-trio demo"
TESTS = "python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox"


def test_every_python_block_says_what_it_prints() -> None:
    assert len(PAIRS) == README.count("```python\n") > 0


@pytest.mark.parametrize(("code", "printed"), PAIRS, ids=[str(number) for number in range(1, len(PAIRS) + 1)])
def test_python_block_prints_what_it_says(code: str, printed: str, tmp_path: Path) -> None:
    path = tmp_path / "block.py"
    path.write_text(code, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", str(path)],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, printed, "")


def test_the_two_commands_stand_in_it_by_themselves() -> None:
    commands = re.findall(r"^\$ (.*)$", README, re.MULTILINE)
    assert commands[:2] == [MAIN_JOB, TESTS]
