"""The part of a protocol that sends and receives binary messages and files."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any

import trio

from aip_trio.errors import ChecksumMismatch, InvalidMessage, InvalidSpec, SizeMismatch
from aip_trio.messages import BinaryData
from aip_trio.protocol._timestamp import timestamp
from aip_trio.protocol.transfer._download import Download, ReceivedFile
from aip_trio.protocol.transfer._intake import CODEC, Intake
from aip_trio.protocol.transfer._outline import Outline
from aip_trio.protocol.transfer._sending import FileSend
from aip_trio.protocol.transfer._source import Source
from aip_trio.protocol.transfer._threads import checksum, clean_up, in_thread
from aip_trio.protocol.transfer._upload import Progress, Upload
from aip_trio.transport import Transport

__all__ = ["Transfers"]


class Transfers:
    """Binary messages and files over a transport that tells binary messages from text (wire/aip.md, 8).

    They do not pass the middleware. A file has the binary messages of this object to itself: other files and
    binary messages wait until it is through. Messages go between its chunks, and those that come meanwhile
    wait to be received.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._intake = Intake(transport)

    @cached_property
    def _line(self) -> trio.StrictFIFOLock:
        """Who sends; made when first used, since most connections never transfer anything."""
        return trio.StrictFIFOLock()

    async def send_binary_message(
        self, data: bytes | bytearray | memoryview, metadata: Mapping[str, object] | None = None
    ) -> None:
        """Send bytes, announced with their size, the time, and whatever ``metadata`` says. A checkpoint.

        Cancelled: nothing was sent, or all of it will be.

        :param metadata: such as filename, mime_type, checksum (MD5 in hexadecimal), or members of your own
        :raises EncodeError: a value in the metadata has no form in JSON
        :raises NoBinaryFrames: the transport does not tell binary messages from text
        :raises ConnectionError: the transport is not connected, or broke
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise InvalidMessage(data, "is no bytes: encode a text with .encode()")
        said = {"timestamp": timestamp(), **(metadata or {})}
        announcement = CODEC.announce(memoryview(data).nbytes, said)
        async with self._line:
            await self.transport.send_announced(announcement, bytes(data))

    async def receive_binary_message(
        self, validate_size: bool = True, *, validate_checksum: bool = True
    ) -> tuple[bytes, dict[str, Any]]:
        """The next binary message, and all that was announced of it. A checkpoint; cancelled, it is not lost.

        :raises SizeMismatch: it is not as long as announced; it is gone, and the connection lives on
        :raises ChecksumMismatch: other bytes came than were sent; as above
        :raises TransferAnnounced: a file comes instead
        :raises DecodeError: an announcement that says nothing usable
        :raises ConnectionError: the transport is not connected, or broke
        """
        transfer = await self._intake.announced(BinaryData)
        message = transfer.message
        assert isinstance(message, BinaryData)
        data = await self._intake.payload()
        if validate_size and len(data) != message.size:
            raise SizeMismatch("a binary message", message.size, len(data))
        if validate_checksum and message.checksum is not None:
            found = await checksum(data)
            if found != message.checksum.lower():
                raise ChecksumMismatch("a binary message", message.checksum, found)
        return data, transfer.members

    async def send_file(
        self,
        file_path: str | os.PathLike[str],
        chunk_size: int = 1048576,
        compute_checksum: bool = True,
        *,
        resume: bool = False,
        transfer_id: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Send a file, chunk by chunk. A checkpoint. Cancelled: the receiver is told that no more comes.

        :param chunk_size: bytes of each binary message; two are in memory at a time
        :param compute_checksum: send its MD5, for the receiver to compare
        :param resume: go on where an earlier attempt was broken off. The receiver is asked what it has, and
            given 10 seconds, and one more for each 50 MB, to look; without an answer all of it is sent
        :param transfer_id: which transfer is resumed; without one, that of a file of this name, size, time of
            change and chunk_size
        :param progress: called with how many bytes are sent, and how many there are, after each chunk
        :raises FileUnavailable: the file cannot be read, or is no regular one
        :raises SourceChanged: it became shorter meanwhile
        :raises TransferAborted: the receiver does not want it; only one that was asked can say so
        :raises NoBinaryFrames: the transport does not tell binary messages from text
        :raises ConnectionError: the transport is not connected, or broke
        """
        if not isinstance(chunk_size, int) or chunk_size < 1:
            raise InvalidSpec("chunk_size", chunk_size, "give a number of bytes, 1 or more")
        if resume and not compute_checksum:
            raise InvalidSpec(
                "compute_checksum", compute_checksum, "leave it on: what is resumed is compared"
            )
        source = await in_thread(partial(Source, file_path, hashed=compute_checksum))
        try:
            mime_type, _ = mimetypes.guess_type(source.path)
            outline = Outline(os.path.basename(source.path), source.size, chunk_size, mime_type)
            send = FileSend(outline, (transfer_id or source.identity(chunk_size)) if resume else None)
            async with self._line:
                await Upload(self.transport, self._intake, source, send, progress).run()
        finally:
            await clean_up(source.close)  # noqa: ASYNC102 - shielded, and bounded

    async def receive_file(
        self,
        output_path: str | os.PathLike[str],
        validate_checksum: bool = True,
        *,
        max_size: int | None = None,
        resume: bool = True,
        progress: Progress | None = None,
    ) -> ReceivedFile:
        """Receive the next file. A checkpoint; cancelled, what came of it is gone, unless it can be resumed.

        It is written beside its place, and takes it when it is whole, checked and on the disk: who reads it
        there sees the file that was there before, or all of this one.

        :param output_path: a folder, where it gets the name that the sender gave, made harmless; or the path
            of the file. What ends with a separator is a folder; what is missing of folders is made
        :param max_size: bytes; a larger file is refused before anything is written
        :param resume: keep what came, when the connection breaks, for a sender that asks to go on with it
        :param progress: called with how many bytes are written, and how many there are, after each chunk
        :raises ChecksumMismatch: other bytes came than were sent. After this, and after the next three, the
            connection lives on, what still comes of the file is passed over, and nothing of it is kept
        :raises SizeMismatch: a chunk is not as long as it should be
        :raises ChunkMismatch: a chunk is not the one that was due
        :raises InconsistentTransfer: what was announced contradicts itself, or what came
        :raises TransferTooLarge: it is larger than max_size
        :raises TransferAborted: the sender gave it up
        :raises UnsafeFilename: the sender's name for it is none, and output_path is a folder
        :raises TransferUnderWay: another transfer writes to the same path now
        :raises FileUnavailable: the operating system refuses to have it written
        :raises TransferAnnounced: a binary message comes instead
        :raises ConnectionError: the transport is not connected, or broke
        """
        if max_size is not None and (not isinstance(max_size, int) or max_size < 0):
            raise InvalidSpec("max_size", max_size, "give a number of bytes, or None")
        download = Download(
            self.transport,
            self._intake,
            checks=validate_checksum,
            max_size=max_size,
            resumes=resume,
            progress=progress,
        )
        return await download.run(os.fspath(output_path))
