"""Permissions do not bind the superuser: tests of them run as somebody else."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["NOBODY", "as_nobody", "forbid"]

NOBODY = 65534


@contextmanager
def as_nobody() -> Generator[None]:
    """Give up the superuser's rights, all threads, while the block runs."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def forbid(root: Path) -> None:
    """Plant a file and a directory that cannot be read, in a tree that can be reached by everybody."""
    (root / "secret").write_text("x")
    (root / "secret").chmod(0)
    (root / "closed").mkdir()
    (root / "closed" / "file").write_text("y")
    (root / "closed").chmod(0)
