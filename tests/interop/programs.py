"""Programs that the conversations are held with, each a process."""

import json
import subprocess
import sys
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from aip_trio.transport import ADAPTERS

__all__ = ["Site", "aip_trio", "first_line", "name", "plain", "running", "serving", "sites"]

_PYTHON = (sys.executable, "-X", "dev", "-W", "error", "-m")

#: What the quick server has in place of the real one's seconds.
_QUICK = {
    "registration_timeout": 0.5,
    "ping_interval": 0.2,
    "ping_timeout": 1.0,
    "ghost_timeout": 0.3,
    "info_timeout": 0.4,
}

Program = subprocess.Popen[str]


def name(stem: str = "lab") -> str:
    """An id that no other test has."""
    return f"{stem}-{uuid.uuid4().hex[:8]}"


@contextmanager
def running(*arguments: str, errors: Path | None = None) -> Generator[Program]:
    """A module as a process, killed at the end if it has not ended; ``errors``: where its stderr goes."""
    log = (errors or Path("/dev/null")).open("ab")
    with (
        log,
        subprocess.Popen(
            [*_PYTHON, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def aip_trio(*arguments: str) -> Sequence[str]:
    """The program, with these arguments."""
    return ("aip_trio", *arguments)


def plain(module: str, *arguments: str) -> Sequence[str]:
    """A peer that knows only the wire."""
    return (f"tests.interop.{module}", *arguments)


def first_line(process: Program, errors: Path | None = None) -> str:
    """What it says when it is ready."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, errors.read_text() if errors is not None else "it ended without a word"
    return line.rstrip("\n")


@attrs.frozen
class Site:
    """The real server and the quick one, with one adapter."""

    adapter: str
    server: Program
    url: str
    quick: Program
    quick_url: str
    errors: Path

    def offer(self, device_id: str, request: str, task_name: str) -> None:
        """Have the quick server offer a task."""
        assert self.quick.stdin is not None
        order = {"device": device_id, "request": request, "name": task_name}
        self.quick.stdin.write(json.dumps(order) + "\n")
        self.quick.stdin.flush()


@contextmanager
def serving(adapter: str, errors: Path) -> Generator[Program]:
    """``aip-trio server`` with this adapter; its first line says where it listens."""
    with running(*aip_trio("server", "--port", "0", "--adapter", adapter), errors=errors) as process:
        yield process


@contextmanager
def sites(folder: Path) -> Generator[dict[str, Site]]:
    """Both servers, with each adapter. None of them has anything to say of a bug of its own in the end."""
    with _sites(folder, ADAPTERS) as found:
        yield found
    for site in found.values():
        assert "Traceback" not in site.errors.read_text()


@contextmanager
def _sites(folder: Path, adapters: Sequence[str]) -> Generator[dict[str, Site]]:
    """Started all at once, since most of it is waiting."""
    if not adapters:
        yield {}
        return
    adapter, *others = adapters
    errors = folder / f"{adapter}.log"
    with (
        serving(adapter, errors) as real,
        running(*plain("quick_server", json.dumps({**_QUICK, "adapter": adapter})), errors=errors) as quick,
        _sites(folder, others) as found,
    ):
        url = first_line(real, errors).removeprefix("listening on ")
        yield {adapter: Site(adapter, real, url, quick, first_line(quick, errors), errors), **found}
