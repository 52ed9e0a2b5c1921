"""A file that is being sent."""

from __future__ import annotations

import hashlib
import os
import stat

from aip_trio.errors import FileUnavailable, SourceChanged
from aip_trio.protocol.transfer._outline import Chunk
from aip_trio.protocol.transfer._threads import refusals

__all__ = ["Source"]

#: Not blocking, because to open a pipe would wait for a writer.
_READ = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY")
)


class Source:
    """An open file, read chunk by chunk in order, and hashed on the way. All methods block.

    They raise FileUnavailable for what the operating system refuses, and for what is no regular file.
    """

    def __init__(self, path: str | os.PathLike[str], *, hashed: bool) -> None:
        self.path = os.fspath(path)
        self._hash = hashlib.md5(usedforsecurity=False) if hashed else None
        with refusals(self.path):
            self._file = os.open(self.path, _READ)
        try:
            status = os.fstat(self._file)
            if not stat.S_ISREG(status.st_mode):
                code = "EISDIR" if stat.S_ISDIR(status.st_mode) else "EINVAL"
                raise FileUnavailable(self.path, code, "it is no regular file")
        except BaseException:
            self.close()
            raise
        self.size = status.st_size
        self._changed = status.st_mtime_ns

    def identity(self, chunk_size: int) -> str:
        """What tells a transfer of this content from others, short of reading it."""
        facts = (os.path.basename(self.path), self.size, self._changed, chunk_size)
        return hashlib.sha256(repr(facts).encode(errors="backslashreplace")).hexdigest()[:32]

    def read(self, chunk: Chunk) -> bytes:
        """A chunk's bytes. Raises SourceChanged where they are not there any more."""
        parts: list[bytes] = []
        missing = chunk.size
        with refusals(self.path):
            while missing and (part := os.read(self._file, missing)):
                parts.append(part)
                missing -= len(part)
        if missing:
            raise SourceChanged(self.path, self.size, os.fstat(self._file).st_size)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if self._hash is not None:
            self._hash.update(data)
        return data

    @property
    def checksum(self) -> str | None:
        """Of all that was read, in hexadecimal; None: it is not hashed."""
        return None if self._hash is None else self._hash.hexdigest()

    def rewind(self) -> None:
        """Begin anew."""
        with refusals(self.path):
            os.lseek(self._file, 0, os.SEEK_SET)
        if self._hash is not None:
            self._hash = hashlib.md5(usedforsecurity=False)

    def close(self) -> None:
        """Let go of it."""
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)
