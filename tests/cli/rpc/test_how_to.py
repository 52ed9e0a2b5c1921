"""What docs/how-to/rpc-console.md shows is what a device answers."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cli.programs import PATIENCE
from tests.cli.rpc.device import serving

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "rpc-console.md"


def blocks() -> Iterator[tuple[str, str]]:
    """Each command of the page, and what is shown below it."""
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def pattern(shown: str) -> str:
    """Dots stand for anything, and times differ."""
    escaped = re.escape(shown).replace("…", ".*")
    return re.sub(r"\\\(\d+\\\.\d\\ ms\\\)", r"\\([0-9.]+ ms\\)", escaped)


def test_the_commands_of_the_page_do_what_it_says() -> None:
    program = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    done = 0
    with serving("--pending-after", "0.2", "--reading-interval", "0.1") as device:
        ports = " ".join(device.ports)
        for command, shown in blocks():
            if "rpc send" not in command and "printf" not in command:
                continue  # it goes on until it is stopped: see test_serve, test_watch, test_console
            line = re.sub(r"aip-trio rpc (send|console)", rf"aip-trio rpc \1 {ports}", command)
            result = subprocess.run(
                ["sh", "-c", line],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                env={**os.environ, "PATH": program},
            )
            assert result.stderr == ""
            assert re.fullmatch(pattern(shown) or ".*", result.stdout, re.DOTALL), result.stdout
            done += 1
    assert done == 5
