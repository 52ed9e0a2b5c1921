"""An open folder, and what is done with the names in it."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import attrs

__all__ = ["Folder"]

#: Whether names can be opened relative to an open folder, and a link be refused in doing so.
_RELATIVE = (
    {os.open, os.stat, os.unlink, os.rename, os.link} <= os.supports_dir_fd
    and os.scandir in os.supports_fd
    and hasattr(os, "O_NOFOLLOW")
    and hasattr(os, "O_DIRECTORY")
)

_FOLDER = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW"))


@attrs.define(eq=False)
class Folder:
    """A folder that stays the same one, whatever becomes of its path.

    Every name is one in this very folder, and no link is followed. Where the platform cannot open relative
    to a folder, its path stands in for it, and a link is looked for before it is used. All methods block,
    and raise OSError.
    """

    _path: str
    #: an open directory, or None where the platform has no such thing
    _handle: int | None

    @classmethod
    def open(cls, path: str) -> Self:
        """Open a folder by its path, whose last name is no link."""
        return cls(path, os.open(path, _FOLDER) if _RELATIVE else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it. Nothing happens the second time."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def enter(self, name: str) -> Self:
        """Open a folder in this one."""
        path = os.path.join(self._path, name)
        if self._handle is not None:
            return type(self)(path, self.open_file(name, _FOLDER))
        if not stat.S_ISDIR(self.status(name).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return type(self)(path, None)

    def status(self, name: str) -> os.stat_result:
        """What a name stands for."""
        return os.stat(self._at(name), dir_fd=self._handle, follow_symlinks=False)

    def open_file(self, name: str, flags: int) -> int:
        """Open a file, as a file descriptor; ``flags`` say that links are not followed."""
        return os.open(self._at(name), flags, 0o666, dir_fd=self._handle)

    def scan(self) -> "Iterator[os.DirEntry[str]]":
        """What is in the folder, in no order."""
        with os.scandir(self._path if self._handle is None else self._handle) as entries:
            yield from entries

    def replace(self, old: str, new: str) -> None:
        """Rename a file; one of the new name is gone in the same moment."""
        os.replace(self._at(old), self._at(new), src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def place(self, old: str, new: str) -> None:
        """Give a file a new name (it may keep the old one); FileExistsError where that is taken."""
        old_path, new_path = self._at(old), self._at(new)
        handle = self._handle
        try:
            os.link(old_path, new_path, src_dir_fd=handle, dst_dir_fd=handle, follow_symlinks=False)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):  # no hard links here: take the name first, then the place
            os.close(self.open_file(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            try:
                self.replace(old, new)
            except BaseException:
                self.remove(new)
                raise

    def remove(self, name: str) -> None:
        """Remove a file."""
        os.unlink(self._at(name), dir_fd=self._handle)

    def sync(self, sync: Callable[[int], None]) -> None:
        """Bring new names to the disk, where the platform can."""
        if self._handle is not None:
            sync(self._handle)

    def _at(self, name: str) -> str:
        if os.path.dirname(name) or name == os.pardir:
            raise ValueError(f"name={name!r} is not one in this folder: resolve paths before")
        return name if self._handle is not None else os.path.join(self._path, name)
