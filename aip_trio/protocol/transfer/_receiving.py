"""Whether what comes of a file is what is due."""

from __future__ import annotations

from aip_trio.errors import (
    ChecksumMismatch,
    ChunkMismatch,
    InconsistentTransfer,
    SizeMismatch,
    TransferTooLarge,
    UnexpectedMessage,
)
from aip_trio.machine import Tracker
from aip_trio.messages import (
    BinaryData,
    FileTransferComplete,
    FileTransferResume,
    FileTransferStart,
    TransferMessage,
)
from aip_trio.protocol.transfer._machines import FILE_RECEIVE_MACHINE, FileReceiveEvent, FileReceiveState
from aip_trio.protocol.transfer._outline import Chunk, Outline

__all__ = ["FileReceive"]


class FileReceive:
    """The receiving end of one file: is this the frame that is due? Pure: receives nothing, writes nothing.

    Errors leave it as it was: `fail` ends it. Calls out of order raise IllegalTransition.
    """

    def __init__(self, start: FileTransferStart, *, max_size: int | None = None) -> None:
        """Raises InconsistentTransfer, and TransferTooLarge for a file beyond ``max_size`` bytes."""
        self.outline = Outline.read(start)
        if max_size is not None and start.size > max_size:
            raise TransferTooLarge(start.filename, start.size, max_size)
        self.transfer_id = start.transfer_id
        self._asked = bool(start.resume)
        self._tracker: Tracker[FileReceiveState, FileReceiveEvent] = FILE_RECEIVE_MACHINE.start()
        self._chunks = 0
        self._due: Chunk | None = None

    @property
    def state(self) -> FileReceiveState:
        """Where it stands."""
        return self._tracker.state

    @property
    def whole(self) -> bool:
        """Whether all chunks are here."""
        return self.state is FileReceiveState.WHOLE

    @property
    def asked(self) -> str | None:
        """The transfer of which the sender wants to know what is here."""
        return self.transfer_id if self._asked else None

    @property
    def chunks(self) -> int:
        """How many chunks are here, from the first on."""
        return self._chunks

    def begin(self) -> None:
        """It is taken."""
        empty = self.outline.total_chunks == 0
        self._tracker.fire(FileReceiveEvent.START_EMPTY if empty else FileReceiveEvent.START)

    def offer(self, chunks: int, checksum: str) -> FileTransferResume:
        """Tell the sender what is here: so many chunks, not the last one, of this checksum."""
        if self.transfer_id is None or not 0 <= chunks < max(1, self.outline.total_chunks):
            raise InconsistentTransfer(self.outline.filename, f"chunks={chunks} cannot be offered")
        self._tracker.fire(FileReceiveEvent.OFFER)
        self._chunks = chunks
        return FileTransferResume(transfer_id=self.transfer_id, chunks=chunks, checksum=checksum)

    def announced(self, message: TransferMessage) -> Chunk:
        """What comes next, which should be a chunk's announcement. Behind an offer, chunk 0 starts afresh."""
        if not isinstance(message, BinaryData):
            if isinstance(message, FileTransferComplete):
                reason = f"it ended behind chunk {self._chunks} of {self.outline.total_chunks}"
                raise InconsistentTransfer(self.outline.filename, reason)
            raise UnexpectedMessage("binary_data", message.type)
        number = self._chunks if message.chunk_num is None else message.chunk_num
        afresh = number == 0 and self.state is FileReceiveState.OFFERED
        if number != self._chunks and not afresh:
            raise ChunkMismatch(self.outline.filename, self._chunks, number)
        chunk = self.outline.chunk(number)
        if message.size != chunk.size:
            raise SizeMismatch(self.outline.named(chunk), chunk.size, message.size)
        self._tracker.fire(FileReceiveEvent.ANNOUNCE)
        self._due, self._chunks = chunk, number
        return chunk

    def arrived(self, size: int) -> int:
        """The bytes of the chunk that is due are here, so many. How many bytes of the file are by now."""
        last = self._chunks + 1 == self.outline.total_chunks
        if self._due is not None and size != self._due.size:
            raise SizeMismatch(self.outline.named(self._due), self._due.size, size)
        self._tracker.fire(FileReceiveEvent.LAST_CHUNK if last else FileReceiveEvent.CHUNK)
        self._due = None
        self._chunks += 1
        return self.outline.done(self._chunks)

    def complete(self, message: TransferMessage, checksum: str | None) -> str | None:
        """What ends it; ``checksum``: of the bytes that came, None where nobody wants it compared.

        Returns the checksum that the sender gave.
        """
        if not isinstance(message, FileTransferComplete):
            raise UnexpectedMessage("file_transfer_complete", message.type)
        if message.total_chunks != self.outline.total_chunks:
            reason = f"it ended with total_chunks={message.total_chunks}, and began with {self._chunks}"
            raise InconsistentTransfer(self.outline.filename, reason)
        given = message.checksum
        if given is not None and checksum is not None and given.lower() != checksum:
            raise ChecksumMismatch(f"file {self.outline.filename!r}", given, checksum)
        self._tracker.fire(FileReceiveEvent.COMPLETE)
        return given

    def fail(self) -> None:
        """It is given up."""
        if not self._tracker.done:
            self._tracker.fire(FileReceiveEvent.FAIL)
