"""The same inventory by plain code: os.scandir, hashlib and dictionaries, without a fleet.

It shares the words of the outcome with the fleet's way (`Inventory`, `Summary`) and the rule of what to look
at (`Scope`), and none of its code.
"""

import errno
import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Collection, Iterator
from itertools import islice

import attrs

from aip_trio.cli.demo._inventory import Duplicates, Entry, Inventory, Summary, TypeTotal
from aip_trio.cli.demo._scope import MOST_NAMES, Scope, is_hidden, make_scope

__all__ = ["Glance", "Look", "Stamp", "glance", "look", "survey", "total"]

_VANISHED = {errno.ENOENT, errno.ENOTDIR}


@attrs.frozen
class Stamp:
    """What changes when a file or a folder does: size in bytes, times in nanoseconds since 1970."""

    size: int
    modified: int
    changed: int


@attrs.frozen
class Glance:
    """What is there: stamps of files and folders, and what is known by its name alone, with why."""

    stamps: dict[str, Stamp] = attrs.field(factory=dict[str, Stamp])
    folders: dict[str, Stamp] = attrs.field(factory=dict[str, Stamp])
    unreadable: dict[str, str] = attrs.field(factory=dict[str, str])


@attrs.frozen
class Look:
    """A glance, and what is in the files."""

    glance: Glance
    inventory: Inventory


def survey(root: str, check: Callable[[], None]) -> tuple[Scope, Glance]:
    """See what is there, level by level, and how much of it can be looked at.

    ``check``, here and below, ends the work early by raising.
    """
    seen = Glance()
    names = hidden = 0
    left_out = False
    waiting = deque([""])
    while waiting:
        folder = waiting.popleft()
        check()
        found = _names(root, folder, seen, MOST_NAMES + 1)
        if len(found) > MOST_NAMES:
            left_out = True
            del seen.folders[folder]
            continue
        below = list(_see(root, folder, found, seen))
        hidden += sum(map(is_hidden, below))
        waiting.extend(each for each in below if not is_hidden(each))
        names += len(found)
        if names >= MOST_NAMES and waiting:
            left_out = True
            break
    sizes = [stamp.size for stamp in seen.stamps.values()]
    return make_scope(sizes, frozenset(seen.folders) if left_out else None, hidden), seen


def glance(root: str, scope: Scope, check: Callable[[], None]) -> Glance:
    """See what is there, without reading it."""
    seen = Glance()
    waiting = deque([""])
    while waiting:
        folder = waiting.popleft()
        check()
        if scope.follows(folder):
            waiting.extend(_see(root, folder, _names(root, folder, seen, None), seen))
    return seen


def look(root: str, scope: Scope, check: Callable[[], None]) -> Look:
    """Read and hash what the scope says. A file that changes while it is read has the stamp of afterwards."""
    seen = glance(root, scope, check)
    stamps: dict[str, Stamp] = {}
    entries: dict[str, Entry] = {}
    unreadable = dict(seen.unreadable)
    for path, stamp in seen.stamps.items():
        check()
        if not scope.hashes(path, stamp.size):
            stamps[path] = stamp
            entries[path] = Entry(path, stamp.size, None)
            continue
        try:
            digest, stamps[path] = _read(os.path.join(root, path), check)
        except OSError as error:
            if error.errno not in _VANISHED:
                stamps[path] = stamp
                unreadable[path] = _reason(error)
        else:
            entries[path] = Entry(path, stamps[path].size, digest)
    return Look(attrs.evolve(seen, stamps=stamps), Inventory(entries, unreadable))


def total(inventory: Inventory, without: Collection[str]) -> Summary:
    """Sum up by type, and find the duplicates, leaving out these paths."""
    files = size = hashed = sets = copies = wasted = 0
    types: dict[str, tuple[int, int]] = {}
    same: dict[str, list[int]] = {}
    for path, entry in inventory.entries.items():
        if path in without:
            continue
        files += 1
        size += entry.size
        extension = os.path.splitext(path)[1].lower()
        count, subtotal = types.get(extension, (0, 0))
        types[extension] = count + 1, subtotal + entry.size
        if entry.digest is not None:
            hashed += 1
            same.setdefault(entry.digest, []).append(entry.size)
    for each in same.values():
        if len(each) > 1 and each[0] > 0:
            sets += 1
            copies += len(each)
            wasted += sum(each) - each[0]
    rows = [TypeTotal(extension, count, subtotal) for extension, (count, subtotal) in types.items()]
    rows.sort(key=lambda row: row.extension)
    rows.sort(key=lambda row: (row.bytes, row.files), reverse=True)
    unreadable = sum(path not in without for path in inventory.unreadable)
    return Summary(files, size, hashed, tuple(rows), Duplicates(sets, copies, wasted), unreadable)


def _names(root: str, folder: str, seen: Glance, most: int | None) -> list["os.DirEntry[str]"]:
    """What is in a folder, ordered by name; nothing where it cannot be listed, or is not there any more."""
    path = os.path.join(root, folder)
    try:
        seen.folders[folder] = _stamp(os.lstat(path))
        with os.scandir(path) as listing:
            return sorted(islice(listing, most), key=lambda item: item.name)
    except OSError as error:
        seen.folders.pop(folder, None)
        if error.errno not in _VANISHED:
            seen.unreadable[folder] = _reason(error)
        return []


def _see(root: str, folder: str, found: list["os.DirEntry[str]"], seen: Glance) -> Iterator[str]:
    """Note the files among these, and return the folders. Symbolic links are not followed."""
    for item in found:
        path = os.path.join(folder, item.name)
        try:
            status = item.stat(follow_symlinks=False)
        except OSError:
            continue
        is_folder, is_file = stat.S_ISDIR(status.st_mode), stat.S_ISREG(status.st_mode)
        if not (is_folder or is_file):
            continue
        try:
            path.encode()
        except UnicodeEncodeError:  # no JSON can name it: the fleet sees that it is there, and no more
            seen.unreadable[os.fsencode(path).decode("utf-8", "backslashreplace")] = "its name is not UTF-8"
            continue
        if is_folder:
            yield path
        else:
            seen.stamps[path] = _stamp(status)


def _read(path: str, check: Callable[[], None]) -> tuple[str, Stamp]:
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            check()
    return digest.hexdigest(), _stamp(os.lstat(path))


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _reason(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
