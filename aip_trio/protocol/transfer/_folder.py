"""The folder that a file is received into."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable

from aip_trio.errors import FileUnavailable, TransferUnderWay

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, flock

__all__ = ["Folder"]

_RELATIVE = {os.open, os.stat, os.unlink, os.rename} <= os.supports_dir_fd and hasattr(os, "O_DIRECTORY")
_FOLDER = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_DIRECTORY"))
_PRIVATE = (
    os.O_RDWR
    | os.O_CREAT
    | sum(getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"))
)


class Folder:
    """An open folder: it stays the same one, whatever becomes of its path, and no link in it is followed.

    All methods block, and raise OSError.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._handle = os.open(path, _FOLDER) if _RELATIVE else None

    def close(self) -> None:
        """Let go of it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def claim(self, name: str) -> int:
        """Open a file to be written, made where it is missing, for nobody else; as a file descriptor.

        Raises FileUnavailable where something else has that name, TransferUnderWay where another has it.
        """
        while True:
            file = os.open(self._at(name), _PRIVATE, 0o666, dir_fd=self._handle)
            try:
                if self._claimed(file, name):
                    return file
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def _claimed(self, file: int, name: str) -> bool:
        """Whether it is ours now; else it was renamed, or removed, before it was locked."""
        path = os.path.join(self.path, name)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:  # a hard link may be anybody's file
            raise FileUnavailable(path, "EEXIST", "it is in the way, and no partial file: remove it")
        if sys.platform != "win32":  # where there are no locks, two transfers to one path are not told apart
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError as error:
                raise TransferUnderWay(path) from error
        try:
            there = os.stat(self._at(name), dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (status.st_dev, status.st_ino)

    def is_folder(self, name: str) -> bool:
        """Whether a name stands for a folder."""
        try:
            status = os.stat(self._at(name), dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(status.st_mode)

    def replace(self, old: str, new: str) -> None:
        """Rename a file; one of the new name is gone in the same moment."""
        os.replace(self._at(old), self._at(new), src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        try:
            os.unlink(self._at(name), dir_fd=self._handle)
        except FileNotFoundError:
            return

    def sync(self, sync: Callable[[int], None]) -> None:
        """Bring new names to the disk, where the platform can."""
        if self._handle is not None:
            sync(self._handle)

    def _at(self, name: str) -> str:
        return name if self._handle is not None else os.path.join(self.path, name)
