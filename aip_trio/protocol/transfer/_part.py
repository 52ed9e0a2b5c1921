"""A file that is being received, as long as it is not whole."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable

from aip_trio.errors import FileUnavailable
from aip_trio.protocol.transfer._folder import Folder
from aip_trio.protocol.transfer._journal import LINE, Journal
from aip_trio.protocol.transfer._names import safe_name
from aip_trio.protocol.transfer._outline import Outline
from aip_trio.protocol.transfer._threads import refusals

__all__ = ["Part", "destination"]


def destination(output_path: str | os.PathLike[str], announced: str) -> str:
    """Where a file goes: into a folder, under a name made of the announced one, or to a path of its own.

    A path that ends with a separator is a folder. What is missing of the folders is made. Blocks.

    Raises UnsafeFilename, FileUnavailable.
    """
    path = os.fspath(output_path)
    is_folder = os.path.isdir(path) or not os.path.basename(path)
    folder, name = (path, safe_name(announced)) if is_folder else os.path.split(path)
    with refusals(path):
        os.makedirs(folder or os.curdir, exist_ok=True)
    return os.path.join(folder, name)


class Part:
    """The bytes of a file in ``.<name>.part`` beside where it will be. All methods block.

    `finish` gives it its name, in one moment; `discard` removes it; `leave` keeps what is whole in it, with a
    `Journal`, for a transfer that goes on, in this process or another. A crash of the process leaves it, too.

    Raises FileUnavailable, and TransferUnderWay where another is at it.
    """

    def __init__(
        self, path: str, outline: Outline, journal: Journal | None, sync: Callable[[int], None]
    ) -> None:
        self.path = path
        self._outline = outline
        self._journal = journal
        self._sync = sync
        self._hash = hashlib.md5(usedforsecurity=False)
        folder, self._name = os.path.split(path)
        self._part, self._notes = f".{self._name}.part", f".{self._name}.part.journal"
        self._files: list[int] = []
        self._known: deque[str] = deque()
        self._kept: list[str] = []
        with refusals(path):
            self._folder = Folder(folder or os.curdir)
            try:
                self._open()
            except BaseException:
                if self._files and not os.fstat(self._files[0]).st_size:
                    self._folder.remove(self._part)
                self._close()
                raise

    def _open(self) -> None:
        if self._folder.is_folder(self._name):
            raise FileUnavailable(self.path, "EISDIR", "it is a folder: end the path with a separator")
        self._files.append(self._folder.claim(self._part))
        if self._journal is None:
            self._folder.remove(self._notes)
        else:
            self._files.append(self._folder.claim(self._notes))
            most = self._outline.total_chunks - 1
            text = _read(self._files[1], len(self._journal.header) + most * LINE)
            self._known.extend(self._journal.checksums(text)[: max(0, most)])

    def verify(self) -> bool:
        """Look at one more chunk of what an earlier attempt has left; False: that was all that counts.

        To be called until then, before anything else. Chunks count by their bytes, and the last one never
        does.
        """
        data = b""
        if self._known:
            with refusals(self.path):
                data = _read(self._files[0], self._outline.chunk_size)
        extended = self._hash.copy()
        extended.update(data)
        if data and extended.hexdigest() == self._known.popleft():
            self._hash = extended
            self._kept.append(extended.hexdigest())
            return True
        self._known.clear()
        self._cut()
        return False

    def _cut(self) -> None:
        """Let nothing be here but the chunks that count."""
        with refusals(self.path):
            for file, size in zip(self._files, (self._outline.done(self.chunks), 0), strict=False):
                os.ftruncate(file, size)
                os.lseek(file, size, os.SEEK_SET)
            if self._journal is not None:
                _write(self._files[1], self._journal.header + b"".join(map(self._journal.line, self._kept)))

    @property
    def chunks(self) -> int:
        """How many whole chunks an earlier attempt has left, so far as they are verified."""
        return len(self._kept)

    def restart(self) -> None:
        """Begin anew: what is here does not count."""
        self._hash = hashlib.md5(usedforsecurity=False)
        self._kept.clear()
        self._cut()

    def append(self, data: bytes) -> None:
        """Add a chunk."""
        with refusals(self.path):
            _write(self._files[0], data)
            self._hash.update(data)
            if self._journal is not None:
                _write(self._files[1], self._journal.line(self._hash.hexdigest()))

    @property
    def checksum(self) -> str:
        """Of all that is here, in hexadecimal."""
        return self._hash.hexdigest()

    def finish(self) -> None:
        """Bring it to the disk, and give it its name."""
        with refusals(self.path):
            self._sync(self._files[0])
            self._folder.replace(self._part, self._name)
            self._folder.remove(self._notes)
            self._folder.sync(self._sync)
        self._close()

    def discard(self) -> None:
        """Remove it. Nothing happens where it is finished, or left."""
        if self._files:
            try:
                with refusals(self.path):
                    self._folder.remove(self._notes)
                    self._folder.remove(self._part)
            finally:
                self._close()

    def leave(self) -> None:
        """Let go of it; what can be resumed stays."""
        if self._journal is None:
            self.discard()
        else:
            self._close()

    def _close(self) -> None:
        while self._files:
            os.close(self._files.pop())
        self._folder.close()


def _read(file: int, most: int) -> bytes:
    parts: list[bytes] = []
    while most and (part := os.read(file, min(most, 1024 * 1024))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
