"""What the sender of a file says next."""

from __future__ import annotations

from aip_trio.machine import Tracker
from aip_trio.messages import BinaryData, FileTransferComplete, FileTransferResume, FileTransferStart
from aip_trio.protocol.transfer._machines import FILE_SEND_MACHINE, FileSendEvent, FileSendState
from aip_trio.protocol.transfer._outline import Chunk, Outline

__all__ = ["FileSend"]


class FileSend:
    """The sending end of one file: which frame comes next. Pure: sends nothing, reads no file.

    ``transfer_id``: under which the receiver may have a part of it; it is asked, unless there is only one
    chunk, for a receiver never claims the last one. Raises IllegalTransition for what is not next.
    """

    def __init__(self, outline: Outline, transfer_id: str | None = None) -> None:
        self.outline = outline
        self.transfer_id = transfer_id
        #: whether the receiver is to say what it has
        self.asks = transfer_id is not None and outline.total_chunks > 1
        self._tracker: Tracker[FileSendState, FileSendEvent] = FILE_SEND_MACHINE.start()
        self._next = 0

    @property
    def state(self) -> FileSendState:
        """Where it stands."""
        return self._tracker.state

    def start(self) -> FileTransferStart:
        """The announcement. In ASKING, `resume` comes next."""
        if self.asks:
            self._tracker.fire(FileSendEvent.ASK)
        else:
            empty = self.outline.total_chunks == 0
            self._tracker.fire(FileSendEvent.START_EMPTY if empty else FileSendEvent.START)
        return FileTransferStart(
            filename=self.outline.filename,
            size=self.outline.size,
            chunk_size=self.outline.chunk_size,
            total_chunks=self.outline.total_chunks,
            mime_type=self.outline.mime_type,
            transfer_id=self.transfer_id if self.asks else None,
            resume=self.asks or None,
        )

    def claimed(self, answer: FileTransferResume | None) -> int:
        """How many chunks the receiver may have: 0 without an answer, or with an absurd one."""
        if answer is None or answer.checksum is None or answer.transfer_id != self.transfer_id:
            return 0
        return answer.chunks if answer.chunks < self.outline.total_chunks else 0

    def resume(self, chunks: int) -> None:
        """Go on behind these chunks, which are there; 0: from the start."""
        self._tracker.fire(FileSendEvent.RESUME)
        self._next = chunks

    @property
    def due(self) -> Chunk | None:
        """The chunk to send; None: there is none, or none any more."""
        return self.outline.chunk(self._next) if self.state is FileSendState.SENDING else None

    def announcement(self, chunk: Chunk) -> BinaryData:
        """What goes before a chunk's bytes."""
        return BinaryData(size=chunk.size, chunk_num=chunk.number, chunk_size=chunk.size)

    def sent(self) -> int:
        """The chunk that was due has gone, with its announcement. How many bytes of the file have."""
        last = self._next + 1 == self.outline.total_chunks
        self._tracker.fire(FileSendEvent.LAST_CHUNK if last else FileSendEvent.CHUNK)
        self._next += 1
        return self.outline.done(self._next)

    def complete(self, checksum: str | None) -> FileTransferComplete:
        """What ends it."""
        self._tracker.fire(FileSendEvent.COMPLETE)
        return FileTransferComplete(
            filename=self.outline.filename, total_chunks=self.outline.total_chunks, checksum=checksum
        )

    def fail(self) -> bool:
        """It is given up. Whether the receiver may be waiting for more, and is to be told."""
        if self._tracker.done:
            return False
        told = self.state is not FileSendState.READY
        self._tracker.fire(FileSendEvent.FAIL)
        return told
