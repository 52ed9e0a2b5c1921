"""What was typed in the console before, kept for its user alone."""

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path

__all__ = ["MOST_LINES", "history_file"]

logger = logging.getLogger("aip_trio.cli")

#: Lines that are kept.
MOST_LINES = 1000


def history_file(environment: Mapping[str, str]) -> Path | None:
    """The file of the console's history, which nobody but its owner may read; it is made where there is none.

    It is in ``$XDG_STATE_HOME``, or ``~/.local/state``. None, and a warning, where it cannot be had: the
    console works without.
    """
    try:
        path = _folder(environment) / "aip-trio" / "rpc-history"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError(f"{path} is no file")
            os.fchmod(file, 0o600)
        finally:
            os.close(file)
    except (OSError, RuntimeError, ValueError) as error:
        logger.warning("no history is kept (%s): mend that, or set XDG_STATE_HOME to a folder", error)
        return None
    return path


def _folder(environment: Mapping[str, str]) -> Path:
    """As the XDG base directory specification has it: a relative path counts as none."""
    told = Path(environment.get("XDG_STATE_HOME", ""))
    return told if told.is_absolute() else Path.home() / ".local" / "state"
