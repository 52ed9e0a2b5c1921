"""Receiving a file."""

from __future__ import annotations

from functools import partial
from typing import TypedDict

import trio

from aip_trio.actors import current_environment
from aip_trio.errors import FileUnavailable, TransferAborted, TransportError
from aip_trio.messages import FileTransferStart
from aip_trio.protocol.transfer._farewell import say_farewell
from aip_trio.protocol.transfer._intake import CODEC, Intake
from aip_trio.protocol.transfer._journal import Journal
from aip_trio.protocol.transfer._part import Part, destination
from aip_trio.protocol.transfer._receiving import FileReceive
from aip_trio.protocol.transfer._threads import clean_up, in_thread
from aip_trio.protocol.transfer._upload import Progress
from aip_trio.transport import Transport

__all__ = ["Download", "ReceivedFile"]

#: Bytes. What comes in smaller chunks is not resumed: its journal would be as large as the file.
_SMALLEST_CHUNK = 4096

#: After these what has come can be gone on with; anything else says that it is wrong.
_INNOCENT = (TransportError, TransferAborted, FileUnavailable, trio.Cancelled)


class ReceivedFile(TypedDict):
    """What `AIPProtocol.receive_file` returns: the sender's words, and the path that the file has here."""

    filename: str
    size: int
    mime_type: str | None
    checksum: str | None
    output_path: str


class Download:
    """One file on its way in, written and hashed in a thread: one chunk is in memory, and what is in transit.

    ``checks``: whether its checksum is compared; ``max_size``: bytes that it may have, None: any number;
    ``resumes``: whether a part of it may stay here for a sender that asks for that.
    """

    def __init__(
        self,
        transport: Transport,
        intake: Intake,
        *,
        checks: bool = True,
        max_size: int | None = None,
        resumes: bool = True,
        progress: Progress | None = None,
    ) -> None:
        self._transport = transport
        self._intake = intake
        self._checks = checks
        self._max_size = max_size
        self._resumes = resumes
        self._progress = progress

    async def run(self, output_path: str) -> ReceivedFile:
        """Receive the next file. A checkpoint. Where that fails, a sender that knows the word is told."""
        start = (await self._intake.announced(FileTransferStart)).message
        assert isinstance(start, FileTransferStart)
        try:
            receive = FileReceive(start, max_size=self._max_size)
            path = await in_thread(partial(destination, output_path, start.filename))
            checksum = await self._to(path, receive)
        except BaseException as error:
            self._intake.give_up()
            if start.resume:
                await say_farewell(  # noqa: ASYNC102 - shielded, and bounded
                    self._transport, start.filename, start.transfer_id, error
                )
            raise
        return ReceivedFile(
            filename=start.filename,
            size=start.size,
            mime_type=start.mime_type,
            checksum=checksum,
            output_path=path,
        )

    async def _to(self, path: str, receive: FileReceive) -> str | None:
        sync = current_environment().sync
        part = await in_thread(partial(Part, path, receive.outline, self._journal(receive), sync))
        try:
            checksum = await self._fill(part, receive)
            await in_thread(part.finish)
        except BaseException as error:
            receive.fail()
            try:
                await clean_up(  # noqa: ASYNC102 - as above
                    part.leave if isinstance(error, _INNOCENT) else part.discard
                )
            except FileUnavailable as left:
                error.add_note(f"and what came of it is still there: {left}")
            raise
        return checksum

    def _journal(self, receive: FileReceive) -> Journal | None:
        if receive.asked is None or not self._resumes or receive.outline.chunk_size < _SMALLEST_CHUNK:
            return None
        return Journal(receive.asked, receive.outline)

    async def _fill(self, part: Part, receive: FileReceive) -> str | None:
        """Have all of it come. The checksum that the sender gave."""
        while await in_thread(part.verify):
            pass
        receive.begin()
        if receive.asked is not None:
            await self._transport.send(CODEC.encode(receive.offer(part.chunks, part.checksum)))
        while not receive.whole:
            chunk = receive.announced(await self._intake.next())
            data = await self._intake.payload()
            done = receive.arrived(len(data))
            if chunk.number == 0 and part.chunks:
                await in_thread(part.restart)
            await in_thread(partial(part.append, data))
            if self._progress is not None:
                self._progress(done, receive.outline.size)
        return receive.complete(await self._intake.next(), part.checksum if self._checks else None)
