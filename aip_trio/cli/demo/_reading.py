"""Reading a file for the inventory, in a worker thread."""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterable

from aip_trio.cli.demo._inventory import Entry, Findings, Stamp

__all__ = ["GONE", "read_files", "reason_of"]

#: What says that there is no such file, or directory, any more, rather than that it cannot be read.
GONE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)

_CHUNK = 1024 * 1024
# What was a regular file when it was found may be a link or a pipe by now: neither follow nor wait.
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY")
)


def reason_of(error: OSError) -> str:
    """The name of an error of the operating system, such as EACCES."""
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


def read_files(root: str, paths: Iterable[str], check: Callable[[], None]) -> Findings:
    """Read and hash files below ``root``, in constant memory.

    ``check`` is called before each chunk, and ends the work early by raising.
    """
    buffer = bytearray(_CHUNK)
    entries: list[Entry] = []
    unreadable: list[tuple[str, str]] = []
    for path in paths:
        try:
            entry = _read_file(root, path, buffer, check)
        except GONE:
            continue
        except OSError as error:
            if error.errno != errno.ELOOP:  # a symbolic link by now
                unreadable.append((path, reason_of(error)))
            continue
        if entry is not None:
            entries.append(entry)
    return Findings(tuple(entries), tuple(unreadable))


def _read_file(root: str, path: str, buffer: bytearray, check: Callable[[], None]) -> Entry | None:
    """The entry of a file, or None where it is no regular file any more."""
    check()
    with io.FileIO(os.path.join(root, path), "r", opener=_open) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return None
        digest = hashlib.sha256()
        with memoryview(buffer) as view:
            while count := file.readinto(view):
                digest.update(view[:count])
                check()
    stamp = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return Entry(path, stamp, digest.hexdigest())


def _open(path: str, flags: int) -> int:
    return os.open(path, _FLAGS)
