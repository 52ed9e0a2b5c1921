"""How much of a directory the demo looks at: all of it, or what can be done within its time."""

import math
import os
import zlib
from collections.abc import Iterator, Sequence

import attrs

from aip_trio.cli._text import plain_size

__all__ = ["MOST_NAMES", "Scope", "is_hidden", "make_scope"]

#: Names that are looked at. Where there are more, folders far from the root are left out, and one that has
#: so many by itself is.
MOST_NAMES = 10_000

#: Bytes of the largest file that is hashed.
_LARGEST = 16 * 1024 * 1024

#: Files, and bytes of them, that are hashed; of more a part is taken.
_MOST_FILES = 2_000
_MOST_BYTES = 64 * 1024 * 1024


@attrs.frozen
class Scope:
    """A rule that says the same to everybody who looks, at any time.

    ``folders``: those that are looked into, "" for the root; None: all but the hidden ones. ``one_in``: of so
    many files one is hashed. ``too_large``: how many files are not, for their size. ``hidden``: how many
    folders were passed by, such as .git and .venv, which nobody means by the files of a directory.
    """

    folders: frozenset[str] | None = None
    one_in: int = 1
    too_large: int = 0
    hidden: int = 0

    def follows(self, folder: str) -> bool:
        """Whether this folder is looked into."""
        return not is_hidden(folder) and (self.folders is None or folder in self.folders)

    def hashes(self, path: str, size: int) -> bool:
        """Whether a file of this size is hashed; else it is listed only."""
        return size <= _LARGEST and zlib.crc32(path.encode()) % self.one_in == 0

    def limits(self) -> Iterator[str]:
        """What is left out, for people."""
        if self.hidden:
            yield f"hidden folders are not looked into: {self.hidden:,} (name one with --root to do so)"
        if self.folders is not None:
            yield f"more than {MOST_NAMES:,} names: only {len(self.folders):,} folders are looked into"
        if self.one_in > 1:
            yield f"too much to hash it all: one file in {self.one_in:,} is"
        if self.too_large:
            yield f"{self.too_large:,} files of more than {plain_size(_LARGEST)} are not hashed"


def is_hidden(folder: str) -> bool:
    """Whether a folder's own name begins with a dot; "", the root, is never hidden."""
    return os.path.basename(folder).startswith(".")


def make_scope(sizes: Sequence[int], folders: frozenset[str] | None, hidden: int = 0) -> Scope:
    """The scope for files of these sizes; ``folders``: those that were looked into, where others were not."""
    small = [size for size in sizes if size <= _LARGEST]
    one_in = math.ceil(max(1.0, len(small) / _MOST_FILES, sum(small) / _MOST_BYTES))
    return Scope(folders, one_in, len(sizes) - len(small), hidden)
