"""A file as it is sent: its name, its size, and where each chunk lies in it."""

from __future__ import annotations

import attrs

from aip_trio.errors import InconsistentTransfer
from aip_trio.messages import FileTransferStart

__all__ = ["Chunk", "Outline"]


@attrs.frozen
class Chunk:
    """One part of a file: ``size`` bytes from ``offset`` on. Chunks are counted from 0."""

    number: int
    offset: int
    size: int


@attrs.frozen
class Outline:
    """A file of ``size`` bytes, cut into chunks of ``chunk_size`` bytes, the last of which may be smaller."""

    filename: str
    size: int
    chunk_size: int
    mime_type: str | None = None

    @classmethod
    def read(cls, start: FileTransferStart) -> Outline:
        """What was announced. Raises InconsistentTransfer where the number of chunks does not fit."""
        outline = cls(start.filename, start.size, start.chunk_size, start.mime_type)
        if start.total_chunks != outline.total_chunks:
            reason = (
                f"{start.size} bytes in chunks of {start.chunk_size} are {outline.total_chunks} chunks, not"
                f" total_chunks={start.total_chunks}"
            )
            raise InconsistentTransfer(start.filename, reason)
        return outline

    @property
    def total_chunks(self) -> int:
        """How many chunks it has; an empty file has none."""
        return -(-self.size // self.chunk_size)

    def chunk(self, number: int) -> Chunk:
        """Where a chunk lies."""
        offset = number * self.chunk_size
        return Chunk(number, offset, min(self.chunk_size, self.size - offset))

    def done(self, chunks: int) -> int:
        """How many bytes the first so many chunks have."""
        return min(chunks * self.chunk_size, self.size)

    def named(self, chunk: Chunk) -> str:
        """A chunk, for an error's text."""
        return f"chunk {chunk.number} of file {self.filename!r}"
