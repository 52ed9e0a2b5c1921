"""Who finds the files."""

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

import trio

from aip_trio.actors import Actor, ActorRef, handles
from aip_trio.cli.demo._messages import Batch, NextBatch, Rewind
from aip_trio.cli.demo._reading import GONE, reason_of

__all__ = ["BATCH_BYTES", "BATCH_FILES", "Portion", "Walker", "portions"]

#: A batch is as large as pays for its messages and thread hops, and small enough to be done again.
BATCH_FILES = 64
BATCH_BYTES = 4 * 1024 * 1024


class Portion(NamedTuple):
    """Files that were found together, and directories that could not be listed, each with its error."""

    paths: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]


def portions(root: str) -> Iterator[Portion]:
    """Walk below ``root``, a batch at a time; paths are relative to it. Symbolic links are not followed.

    Lazy: one directory is open at a time, and what waits are the directories still to be listed.
    """
    paths: list[str] = []
    unreadable: list[tuple[str, str]] = []
    size = 0
    for path, found in _walk(root):
        if isinstance(found, str):
            unreadable.append((path, found))
        else:
            paths.append(path)
            size += found
        if len(paths) + len(unreadable) >= BATCH_FILES or size >= BATCH_BYTES:
            yield Portion(tuple(paths), tuple(unreadable))
            paths, unreadable, size = [], [], 0
    if paths or unreadable:
        yield Portion(tuple(paths), tuple(unreadable))


def _walk(root: str) -> Iterator[tuple[str, int | str]]:
    """Each regular file with its size, and each directory that cannot be listed with its error."""
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(os.path.join(root, directory)) as listing:
                for item in listing:
                    path = os.path.join(directory, item.name)
                    if item.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    elif item.is_file(follow_symlinks=False):
                        yield path, _size(item)
        except GONE:
            continue
        except OSError as error:
            yield directory or os.curdir, reason_of(error)


def _size(item: "os.DirEntry[str]") -> int:
    """Its size, as a measure of the work; whether it can be read, its reader will see."""
    try:
        status = item.stat(follow_symlinks=False)
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


class Walker(Actor):
    """Walks a directory in a worker thread, exactly as fast as it is asked for more.

    Who asks again before its batch is done gets the same one again: an answer that got lost with its
    asker's crash loses nothing. A new incarnation begins anew: finding a file twice is harmless.
    """

    def __init__(self, root: str, limiter: trio.CapacityLimiter) -> None:
        self._root = root
        self._limiter = limiter

    async def started(self) -> None:
        """Stand at the beginning."""
        await trio.lowlevel.checkpoint()
        self._begin()

    def _begin(self) -> None:
        self._portions = portions(self._root)
        self._walk = self.system.environment.new_id()
        self._given = 0
        self._in_work: dict[ActorRef, Batch] = {}

    @handles
    async def rewind(self, message: Rewind) -> None:
        """Begin the walk anew."""
        await trio.lowlevel.checkpoint()
        self._begin()

    @handles
    async def next_batch(self, message: NextBatch) -> Batch | None:
        """The next files, or None at the end."""
        await trio.lowlevel.checkpoint()
        batch = self._in_work.pop(message.worker, None)
        if batch is None or batch.id == message.done:
            portion = await trio.to_thread.run_sync(next, self._portions, None, limiter=self._limiter)
            if portion is None:
                return None
            self._given += 1
            batch = Batch(f"{self._walk}-{self._given}", portion.paths, portion.unreadable)
        self._in_work[message.worker] = batch
        return batch
