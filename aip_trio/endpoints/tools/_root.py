"""The one folder below which the file tools work."""

import contextlib
import errno
import os
import stat
from collections.abc import Generator

import attrs

from aip_trio.endpoints.tools._folder import Folder
from aip_trio.errors import FileFailed, InvalidOption, PathOutsideRoot, UnsupportedFile

__all__ = ["Names", "Root", "check_regular", "code_of", "refusals"]

#: A path below a root, name by name; none of them is "..", or leads elsewhere by a separator in it.
Names = tuple[str, ...]

_WINDOWS = os.name == "nt"

#: As on Linux: characters of a path, and links on its way.
_LONGEST_PATH = 4096
_MOST_LINKS = 40

_READ = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY")
)

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _real_folder(path: str | os.PathLike[str]) -> str:
    try:
        real = os.path.realpath(path, strict=True)
    except (OSError, ValueError) as error:
        raise InvalidOption("root", path, f"cannot be the tools' folder: {error}") from error
    if not os.path.isdir(real):
        raise InvalidOption("root", path, "is no folder: name one that exists")
    return real


@attrs.frozen
class Root:
    """Files below a folder, by paths that peers give, and nothing outside of it.

    `resolve` decides, from the path's text and the links on the way, which file is meant. `folder` opens it,
    each name relative to the folder before it and no link followed, so that whoever swaps a folder for a
    link in between gets an error and no way out; where the platform cannot open relative to a folder, each
    name is checked before it is used. Mount points and hard links below the root are taken as part of it.

    All methods block: call them in a thread. They raise OSError, which `refusals` makes typed errors of,
    without the path of the root.

    Raises InvalidOption for a path that is no folder.
    """

    path: str = attrs.field(converter=_real_folder)

    def resolve(self, path: str) -> Names:
        """Where a path leads, links followed as long as they stay below the root.

        A path is relative to the root, with "/" between names; ".." is not for peers, only for links. Raises
        PathOutsideRoot.
        """
        names: list[str] = []
        links = 0
        ahead = list(reversed(_split(path)))
        while ahead:
            name = ahead.pop()
            if name == "..":
                if not names:
                    raise PathOutsideRoot(path, "leads out of the root folder by a symbolic link")
                names.pop()
                continue
            target = self._link(*names, name)
            if target is None:
                names.append(name)
                if len(names) > _LONGEST_PATH // 2:
                    raise _refusal(errno.ENAMETOOLONG)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise _refusal(errno.ELOOP)
            if os.path.isabs(target) or os.path.splitdrive(target)[0]:
                raise PathOutsideRoot(path, "leads through a symbolic link to an absolute path")
            ahead.extend(reversed(_names(target)))
        return tuple(names)

    def folder(self, names: Names) -> Folder:
        """Open a folder, following no link."""
        folder = Folder.open(self.path)
        for name in names:
            with folder:
                inner = folder.enter(name)
            folder = inner
        return folder

    @contextlib.contextmanager
    def file(self, path: str) -> Generator[int]:
        """Open a regular file to be read, as a file descriptor. Raises UnsupportedFile for anything else."""
        names = self.resolve(path)
        with self.folder(names[:-1]) as folder:
            # looked at first, because to open a device may already do something
            check_regular(path, folder.status(names[-1] if names else "."))
            file = folder.open_file(names[-1], _READ)
        try:
            check_regular(path, os.fstat(file))
            yield file
        finally:
            os.close(file)

    def _link(self, *names: str) -> str | None:
        """What a link says; None for what is no link, or is not there."""
        try:
            return os.readlink(os.path.join(self.path, *names))
        except OSError:
            return None


def check_regular(path: str, status: os.stat_result) -> None:
    """Refuse what is no regular file: a pipe could hold its reader for ever, a device do anything."""
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise UnsupportedFile(path, f"is {kind}: name a regular file")


@contextlib.contextmanager
def refusals(path: str) -> Generator[None]:
    """Make a typed error of what the operating system refuses, without any path but the peer's own."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__qualname__
        raise FileFailed(path, code_of(error), reason) from error


def code_of(error: OSError) -> str:
    """The operating system's name of an error, such as EACCES."""
    return errno.errorcode.get(error.errno or 0, type(error).__qualname__)


def _refusal(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _split(path: str) -> list[str]:
    """A peer's path as names. Raises PathOutsideRoot for one that is not below the root by its very text."""
    if len(path) > _LONGEST_PATH:
        raise _refusal(errno.ENAMETOOLONG)
    if "\0" in path:
        raise PathOutsideRoot(path, "has a NUL in it")
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise PathOutsideRoot(path, "is not UTF-8") from error
    if _WINDOWS:
        path = path.replace("\\", "/")
        if ":" in path:
            raise PathOutsideRoot(path, "names a drive, or a stream of a file")
    if path.startswith("/"):
        raise PathOutsideRoot(path, "is absolute")
    names = _names(path)
    if ".." in names:
        raise PathOutsideRoot(path, "has '..' in it")
    return names


def _names(path: str) -> list[str]:
    return [name for name in path.replace(os.sep, "/").split("/") if name not in ("", ".")]
