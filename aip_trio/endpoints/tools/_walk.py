"""What is in a folder below the root, and in the folders in it."""

import os
import stat
from collections.abc import Iterator
from typing import Literal

import attrs
import trio

from aip_trio.endpoints.tools._root import Names, Root

__all__ = ["GONE", "Found", "Kind", "scan"]

Kind = Literal["file", "folder", "link", "other"]

#: What says that a folder is no longer there, rather than that it cannot be read.
GONE = (FileNotFoundError, NotADirectoryError)


@attrs.frozen
class Found:
    """A name in a folder, and what it stood for when it was looked at."""

    name: str
    kind: Kind
    status: os.stat_result


def scan(root: Root, folder: Names) -> Iterator[Found]:
    """What is in one folder, in no order; links are not followed.

    Runs in a thread, and raises Cancelled there when the task that waits for it is cancelled. Raises OSError
    where the folder cannot be read; a name that is gone by the time that it is looked at is left out.
    """
    with root.folder(folder) as opened:
        for entry in opened.scan():
            trio.from_thread.check_cancelled()
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield Found(entry.name, _kind(status.st_mode), status)


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"
