"""The secret that clients show to a server."""

import logging
import os
import stat
from pathlib import Path

from aip_trio.errors import InvalidOption

__all__ = ["read_token"]

logger = logging.getLogger("aip_trio.cli")

_OPTION = "token-file"

#: A token goes into a header of HTTP.
_LONGEST = 4096


def read_token(path: Path | None) -> str | None:
    """The token in a file, without the white space around it; None without a file.

    A file that every user of the machine may read is warned of, and used: secrets that container managers
    hand in often are. Raises InvalidOption, which never shows what is in the file.
    """
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidOption(_OPTION, path, f"cannot be read ({told}): name a file with the token") from error
    if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH:
        logger.warning(
            "token file %r can be read by every user of this machine: chmod 600 it", os.fsdecode(path)
        )
    return _checked(path, content)


def _checked(path: Path, content: bytes) -> str:
    if len(content) > _LONGEST:
        raise InvalidOption(_OPTION, path, f"has more than {_LONGEST} bytes: name a file with a token alone")
    token = content.decode("ascii", "replace").strip()
    if not token:
        raise InvalidOption(_OPTION, path, "is empty: write the token into it")
    if not all("!" <= character <= "~" for character in token):
        raise InvalidOption(
            _OPTION, path, "holds what no token can have: write one word of printable ASCII into it"
        )
    return token
