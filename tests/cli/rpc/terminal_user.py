"""A user at a terminal, with the console on it."""

import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager
from fcntl import ioctl

from tests.cli.programs import PATIENCE, PROGRAM

__all__ = ["User", "console_on_terminal"]

#: What moves the cursor, or makes a noise.
_SIGN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[78D=>]|\r|\x07")


#: What the console puts in above the row that is being typed, or is just being written.
_ABOVE = re.compile(r"\x1bD\x1b\[A\x1b7\r\x1b\[L(.*?)\x1b8\x1b\[B", re.DOTALL)


class User:
    """Types, and reads. ``side``: the end of the terminal that the program has, held open."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int, side: int) -> None:
        self.process = process
        self._terminal = terminal
        self._side = side
        self._seen = ""

    @property
    def plain(self) -> str:
        """What was shown and not read yet, from top to bottom, without what moves the cursor."""
        shown = self._seen
        while (put_in := _ABOVE.search(shown)) is not None:
            row = shown.rfind("\n", 0, put_in.start()) + 1
            shown = f"{shown[:row]}{put_in[1]}\n{shown[row : put_in.start()]}{shown[put_in.end() :]}"
        return _SIGN.sub("", shown)

    def type(self, keys: str) -> None:
        """Press these keys."""
        os.write(self._terminal, keys.encode())

    def until(self, text: str) -> None:
        """Read as far as this."""
        end = time.monotonic() + PATIENCE
        while text not in self.plain:
            assert self._look(end), f"never shown: {text!r}, but {self.plain!r}"
        self._seen = self.plain.partition(text)[2]

    def mode(self) -> list[object]:
        """How the terminal is set."""
        return termios.tcgetattr(self._side)

    def end(self) -> int:
        """Wait for the end of the program, and return its status."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            self._look(min(end, time.monotonic() + 0.05))
            assert time.monotonic() < end, f"it does not end: {self.plain!r}"
        self._look(0)
        return self.process.returncode

    def _look(self, end: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], max(end - time.monotonic(), 0))
        if ready:
            self._seen += os.read(self._terminal, 65536).decode("utf-8", "replace")
        return bool(ready)


@contextmanager
def console_on_terminal(*options: str, **environment: str) -> Generator[User]:
    """``aip-trio rpc console`` on a terminal of 24 rows and 100 columns."""
    terminal, side = pty.openpty()
    ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, "rpc", "console", *options],
        stdin=side,
        stdout=side,
        stderr=side,
        env={**os.environ, "TERM": "xterm-256color", **environment},
        start_new_session=True,
    )
    with process:
        try:
            yield User(process, terminal, side)
        finally:
            process.kill()
            os.close(side)
            os.close(terminal)
