"""The processes of a soak."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil

__all__ = ["Broken", "Programs"]

_ROOT = Path(__file__).parents[1]

#: In the log of one of ours: an error is a crash, and no network justifies one.
_COMPLAINT = re.compile(r"^\S+ (?:error|critical) .*|^Traceback .*", re.MULTILINE)

#: Seconds for a program to end when it is told to.
_GRACE = 20.0


class Broken(Exception):
    """A program did what it must not; the text says which, and where its log is."""


class Programs:
    """Starts them, hears their first line, and ends them; none is left at the end of the block.

    Each has a pipe as its standard input, and ends when that is closed: so it does, too, when we are killed.
    What a program writes to standard error is in ``folder``, under its name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Programs:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.communicate()
        self._stack.close()

    def start(
        self,
        name: str,
        *arguments: str,
        out: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``python -m`` these arguments; ``out``: the file that its standard output goes to."""
        log = self._stack.enter_context(self._log(name).open("a"))
        stdout = subprocess.PIPE if out is None else self._stack.enter_context(out.open("a"))
        self._running[name] = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=log,
            text=True,
            cwd=_ROOT,
            env={**os.environ, **(environment or {})},
        )

    def line(self, name: str) -> str:
        """The next line that it says. Raises Broken where it ends instead."""
        process = self._running[name]
        assert process.stdout is not None
        line = process.stdout.readline().rstrip("\n")
        if not line:
            process.wait(_GRACE)
            raise self._broken(name, "ended before it was ready")
        return line

    def status(self, name: str) -> int | None:
        """Its exit status; None while it runs."""
        return self._running[name].poll()

    def check(self, *names: str) -> None:
        """Raises Broken where one of these does not run any more."""
        for name in names:
            status = self.status(name)
            if status is not None:
                raise self._broken(name, f"ended by itself, with exit status {status}")

    def end(self, name: str, number: signal.Signals | None = None) -> str:
        """Have it end, by a signal or by closing its standard input; what it says at last.

        Raises Broken where it does not, or not in order.
        """
        process = self._running.pop(name)
        try:
            if number is not None:
                process.send_signal(number)
                process.wait(_GRACE)  # before its standard input is closed, which is another reason to end
            out, _ = process.communicate(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise self._broken(name, f"did not end within {_GRACE:g} s") from None
        expected = 0 if number is None else 128 + number
        if process.returncode != expected:
            raise self._broken(name, f"ended with exit status {process.returncode}, not {expected}")
        return out or ""

    def say(self, name: str, line: str) -> None:
        """A line for its standard input."""
        stdin = self._running[name].stdin
        assert stdin is not None
        stdin.write(line + "\n")
        stdin.flush()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send it a signal that does not end it."""
        self._running[name].send_signal(number)

    def kill(self, name: str) -> None:
        """End it as a power cut would; it may be started again under its name."""
        process = self._running.pop(name)
        process.kill()
        process.communicate()

    def memory(self, name: str) -> float:
        """How much it has, in MiB."""
        return float(psutil.Process(self._running[name].pid).memory_info().rss) / 2**20

    def complaints(self) -> list[str]:
        """What the logs tell of crashes of ours: of each log the first one."""
        found = ((log, _COMPLAINT.search(log.read_text())) for log in sorted(self.folder.glob("*.log")))
        return [f"{log.name}: {complaint[0]}" for log, complaint in found if complaint is not None]

    def said(self, name: str, words: str) -> int:
        """How many times a program has said so in its log."""
        return self._log(name).read_text().count(words)

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _broken(self, name: str, what: str) -> Broken:
        last = self._log(name).read_text().splitlines()[-1:]
        return Broken(f"{name} {what}: see {self._log(name)}" + "".join(f" ({line})" for line in last))
