"""Running the program as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import psutil

__all__ = ["PATIENCE", "PROGRAM", "children_of", "first_line", "gone", "running", "story_until"]

#: Seconds for a program to start, and to end: they end a hang, and a busy machine needs many of them.
PATIENCE = 30.0

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


def first_line(process: "subprocess.Popen[str]") -> str:
    """What it says when it is ready. Fails with what it says on stderr where it ends before."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=PATIENCE)[1]
    return line.rstrip("\n")


def story_until(process: "subprocess.Popen[str]", end: str) -> Iterator[str]:
    """What it tells on stderr, as far as the line with this."""
    assert process.stderr is not None
    for line in process.stderr:
        yield line
        if end in line:
            return
    raise AssertionError(f"it never said: {end}")


def children_of(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> list[psutil.Process]:
    """All that a process has started, and they in turn."""
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether they have all ended within so many seconds; what has not is killed."""
    _, left = psutil.wait_procs(processes, timeout=seconds)
    for process in left:
        process.kill()
    return not left
