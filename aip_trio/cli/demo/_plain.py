"""The same inventory by plain code: os.walk, hashlib and dictionaries, without an actor.

It shares the words of the outcome with the actors' way (`Inventory`, `Summary`), and none of its code.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterator

import attrs

from aip_trio.cli.demo._inventory import Duplicates, Entry, Inventory, Stamp, Summary, TypeTotal

__all__ = ["Glance", "Look", "glance", "look", "total"]

_VANISHED = {errno.ENOENT, errno.ENOTDIR}


@attrs.frozen
class Glance:
    """What is there: the stamp of every regular file, and the directories that cannot be listed."""

    stamps: dict[str, Stamp]
    unlisted: dict[str, str]


@attrs.frozen
class Look:
    """A glance, and what is in the files."""

    glance: Glance
    inventory: Inventory


def glance(root: str, check: Callable[[], None]) -> Glance:
    """See what is there, without reading it. ``check`` ends it early by raising."""
    unlisted: dict[str, str] = {}
    stamps: dict[str, Stamp] = {}
    for path in _files(root, unlisted):
        check()
        try:
            status = os.lstat(os.path.join(root, path))
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            stamps[path] = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return Glance(stamps, unlisted)


def look(root: str, check: Callable[[], None]) -> Look:
    """Read and hash every file. A file that changes while it is read gets the stamp it has afterwards."""
    seen = glance(root, check)
    stamps: dict[str, Stamp] = {}
    entries: dict[str, Entry] = {}
    unreadable = dict(seen.unlisted)
    for path in seen.stamps:
        try:
            digest, stamps[path] = _read(os.path.join(root, path), check)
        except OSError as error:
            if error.errno not in _VANISHED:
                stamps[path] = seen.stamps[path]
                unreadable[path] = errno.errorcode.get(error.errno or 0, type(error).__name__)
        else:
            entries[path] = Entry(path, stamps[path], digest)
    return Look(Glance(stamps, seen.unlisted), Inventory(entries, unreadable))


def total(inventory: Inventory, without: Collection[str]) -> Summary:
    """Sum up by type, and find the duplicates, leaving out these paths."""
    files = size = sets = copies = wasted = 0
    types: dict[str, tuple[int, int]] = {}
    same: dict[str, list[int]] = {}
    for path, entry in inventory.entries.items():
        if path in without:
            continue
        files += 1
        size += entry.stamp.size
        extension = os.path.splitext(path)[1].lower()
        count, subtotal = types.get(extension, (0, 0))
        types[extension] = count + 1, subtotal + entry.stamp.size
        same.setdefault(entry.digest, []).append(entry.stamp.size)
    for each in same.values():
        if len(each) > 1 and each[0] > 0:
            sets += 1
            copies += len(each)
            wasted += sum(each) - each[0]
    rows = [TypeTotal(extension, count, subtotal) for extension, (count, subtotal) in types.items()]
    rows.sort(key=lambda row: row.extension)
    rows.sort(key=lambda row: (row.bytes, row.files), reverse=True)
    unreadable = sum(path not in without for path in inventory.unreadable)
    return Summary(files, size, tuple(rows), Duplicates(sets, copies, wasted), unreadable)


def _files(root: str, unlisted: dict[str, str]) -> Iterator[str]:
    """The relative path of everything that is no directory; errors of directories go to ``unlisted``."""

    def failed(error: OSError) -> None:
        if error.errno not in _VANISHED:
            path = os.path.relpath(os.fsdecode(error.filename), root)
            unlisted[path] = errno.errorcode.get(error.errno or 0, type(error).__name__)

    for directory, _, names in os.walk(root, onerror=failed):
        below = "" if directory == root else os.path.relpath(directory, root)
        for name in names:
            yield os.path.join(below, name)


def _read(path: str, check: Callable[[], None]) -> tuple[str, Stamp]:
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            check()
    status = os.lstat(path)
    return digest.hexdigest(), Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)
