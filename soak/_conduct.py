"""What every soak is run by: a folder, the lines at its end, and its exit status."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from soak._programs import Broken

__all__ = ["Told", "conduct", "say"]


class Told(Protocol):
    """What came of a soak."""

    @property
    def faults(self) -> list[str]:
        """All that is wrong."""
        ...

    def data(self) -> dict[str, object]:
        """For a file of JSON."""
        ...

    def lines(self) -> Iterator[str]:
        """For people."""
        ...


def conduct(folder: Path | None, soak: Callable[[Path], Told]) -> int:
    """Soak, show the figures, and keep the folder where there is something to look at; the exit status.

    ``folder``: for journals and logs; None: a temporary one.
    """
    signal.signal(
        signal.SIGTERM, lambda number, _: sys.exit(128 + number)
    )  # so that blocks are left in order
    place = folder or Path(tempfile.mkdtemp(prefix="soak-"))
    place.mkdir(parents=True, exist_ok=True)
    try:
        report = soak(place)
    except Broken as broken:
        say(f"broken off: {broken}")
        return 1
    (place / "report.json").write_text(json.dumps(report.data(), indent=1) + "\n")
    say("\n".join(report.lines()))
    if report.faults:
        return 1
    if folder is None:
        shutil.rmtree(place)
    return 0


def say(line: str) -> None:
    """To whoever watches."""
    print(line, flush=True)
