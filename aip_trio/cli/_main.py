"""Where the program begins."""

import signal
import sys
from collections.abc import Sequence

__all__ = ["main"]

_EXTRA = frozenset({"psutil", "rich", "typer"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``aip-trio`` with these arguments (default: the process's), and return its exit status.

    0: done. 1: it failed, or its answer is no. 2: it could not begin (usage, bad input). 3: it may or may not
    have been done. 130 and 143: it was stopped by SIGINT or SIGTERM (128 plus the signal's number).
    """
    try:
        status = _run(arguments)
    except KeyboardInterrupt:  # before or after Trio, where no task could be told
        status = 130
    if arguments is None and status > 128:
        _end_in_peace()
    return status


def _run(arguments: Sequence[str] | None) -> int:
    try:
        from aip_trio.cli._program import run
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
        sys.stderr.write(
            f"aip-trio: error: the program needs {missing.name}: install it with"
            " pip install 'aip-trio[cli]'\n"
        )
        return 2
    return run(arguments)


def _end_in_peace() -> None:
    """Ignore one more signal: it would kill the interpreter on its last steps, and change the status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
