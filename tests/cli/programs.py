"""Running the program: in this process, and as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["PROGRAM", "running"]

PROGRAM = [sys.executable, "-X", "dev", "-W", "error", "-m", "aip_trio"]


@contextmanager
def running(*arguments: str, **environment: str) -> Generator["subprocess.Popen[str]"]:
    """The program as a process, which is killed if the block leaves it running."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
