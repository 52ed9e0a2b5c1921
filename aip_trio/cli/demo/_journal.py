"""What the collector remembers over its crashes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from aip_trio.cli.demo._inventory import Entry, Findings, Stamp

__all__ = ["Journal"]


class Journal:
    """An append-only file of findings, a line of JSON for each; its methods block.

    What `append` has returned from is there for every later incarnation in any process of this machine.
    It is not brought to the disk: the demo survives the crash of an actor, not of the machine.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, findings: Findings) -> None:
        """Add these."""
        rows = [[e.path, e.stamp.size, e.stamp.modified, e.stamp.changed, e.digest] for e in findings.entries]
        line = json.dumps([rows, findings.unreadable])  # in ASCII: file names may be no UTF-8
        with self._path.open("ab", buffering=0) as file:
            file.write(line.encode("ascii") + b"\n")

    def replay(self) -> Iterator[Findings]:
        """All that was appended, in order. A last line that was cut off by a crash is removed."""
        if not self._path.exists():
            return
        with self._path.open("r+b") as file:
            whole = 0
            for line in file:
                if not line.endswith(b"\n"):
                    os.truncate(self._path, whole)
                    return
                whole += len(line)
                yield _parse(line)


def _parse(line: bytes) -> Findings:
    rows, unreadable = json.loads(line)
    entries = [
        Entry(path, Stamp(size, modified, changed), digest) for path, size, modified, changed, digest in rows
    ]
    return Findings(tuple(entries), tuple((path, reason) for path, reason in unreadable))
