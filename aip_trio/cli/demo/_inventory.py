"""What an inventory is, and how it is summed up: pure, without a fleet or I/O."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping

import attrs

__all__ = ["Duplicates", "Entry", "Inventory", "Summary", "TypeTotal", "summarize"]


@attrs.frozen
class Entry:
    """A regular file: its path below the root, its size in bytes, its SHA-256 in hexadecimal.

    ``digest``: None for a file that is not to be hashed.
    """

    path: str
    size: int
    digest: str | None


@attrs.frozen
class Inventory:
    """All that was found, by path; ``unreadable`` are files and folders, each with why."""

    entries: Mapping[str, Entry]
    unreadable: Mapping[str, str]

    def without(self, paths: frozenset[str]) -> "Inventory":
        """The inventory, but for these paths."""
        return Inventory(
            {path: entry for path, entry in self.entries.items() if path not in paths},
            {path: reason for path, reason in self.unreadable.items() if path not in paths},
        )


@attrs.frozen
class TypeTotal:
    """The files of one type: the extension in lower case with its dot, or "" where there is none."""

    extension: str
    files: int
    bytes: int


@attrs.frozen
class Duplicates:
    """Files of equal content: how many sets, how many files in them, the bytes of all but one of each.

    Empty files are no duplicates, and files that were not hashed are not known. Names of one file (hard
    links) count as copies.
    """

    sets: int = 0
    files: int = 0
    wasted: int = 0


@attrs.frozen
class Summary:
    """An inventory in figures; ``types`` by bytes, the most first."""

    files: int
    bytes: int
    hashed: int
    types: tuple[TypeTotal, ...]
    duplicates: Duplicates
    unreadable: int = 0


def summarize(inventory: Inventory) -> Summary:
    """Sum up by type, and find the duplicates."""
    entries = inventory.entries.values()
    return Summary(
        files=len(entries),
        bytes=sum(entry.size for entry in entries),
        hashed=sum(entry.digest is not None for entry in entries),
        types=_types(entries),
        duplicates=_duplicates(entries),
        unreadable=len(inventory.unreadable),
    )


def _types(entries: Iterable[Entry]) -> tuple[TypeTotal, ...]:
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    for entry in entries:
        sizes[os.path.splitext(entry.path)[1].lower()].append(entry.size)
    totals = [TypeTotal(extension, len(each), sum(each)) for extension, each in sizes.items()]
    return tuple(sorted(totals, key=lambda total: (-total.bytes, -total.files, total.extension)))


def _duplicates(entries: Iterable[Entry]) -> Duplicates:
    same: defaultdict[tuple[str, int], int] = defaultdict(int)
    for entry in entries:
        if entry.size and entry.digest is not None:
            same[entry.digest, entry.size] += 1
    sets = [(size, copies) for (_, size), copies in same.items() if copies > 1]
    return Duplicates(
        sets=len(sets),
        files=sum(copies for _, copies in sets),
        wasted=sum(size * (copies - 1) for size, copies in sets),
    )
