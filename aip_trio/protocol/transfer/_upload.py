"""Sending a file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import trio

from aip_trio.errors import NoBinaryFrames, TransferAborted
from aip_trio.protocol.transfer._farewell import say_farewell
from aip_trio.protocol.transfer._intake import CODEC, Intake, Question
from aip_trio.protocol.transfer._outline import Chunk
from aip_trio.protocol.transfer._sending import FileSend
from aip_trio.protocol.transfer._source import Source
from aip_trio.protocol.transfer._threads import in_thread, together
from aip_trio.transport import Transport

__all__ = ["Progress", "Upload", "patience"]

#: Called with how many bytes are through, and how many there are; what it raises ends the transfer.
Progress: TypeAlias = Callable[[int, int], object]

#: Seconds; and bytes in a second.
_LEAST_PATIENCE = 10.0
_HASHED = 50_000_000


def patience(size: int) -> float:
    """How many seconds a receiver may take to look through what it has of so many bytes."""
    return _LEAST_PATIENCE + size / _HASHED


class Upload:
    """One file on its way out, read in a thread while the chunk before it is sent: two chunks are in memory.

    ``source`` is the caller's to close.
    """

    def __init__(
        self,
        transport: Transport,
        intake: Intake,
        source: Source,
        send: FileSend,
        progress: Progress | None = None,
    ) -> None:
        self._transport = transport
        self._intake = intake
        self._source = source
        self._send = send
        self._progress = progress
        self._question = Question(send.transfer_id)

    async def run(self) -> None:
        """Send all of it. A checkpoint. Where that fails, the receiver is told that nothing more comes."""
        if not self._transport.has_binary_frames:
            raise NoBinaryFrames(self._transport, "send_file()")
        try:
            with self._intake.listening(self._question):
                await self._transport.send(CODEC.encode(self._send.start()))
                data = await self._first()
                while (chunk := self._send.due) is not None:
                    data = await self._step(chunk, data)
                await self._transport.send(CODEC.encode(self._send.complete(self._source.checksum)))
        except BaseException as error:
            if self._send.fail():
                await say_farewell(  # noqa: ASYNC102 - shielded, and bounded
                    self._transport, self._send.outline.filename, self._send.transfer_id, error
                )
            raise

    async def _first(self) -> bytes:
        """The first chunk to send, once it is known which one that is."""
        chunks = 0
        if self._send.asks:
            with trio.move_on_after(patience(self._send.outline.size)):
                await self._intake.wait_settled(self._question)
            self._check()
            chunks = await self._agreed()
            self._send.resume(chunks)
        return await self._read(chunks)

    async def _agreed(self) -> int:
        """How many chunks the receiver has; none, where they are not those that are here."""
        answer = self._question.answer
        claimed = self._send.claimed(answer)
        for number in range(claimed):
            await self._read(number)
        if answer is not None and claimed and answer.checksum != self._source.checksum:
            await in_thread(self._source.rewind)
            return 0
        return claimed  # noqa: ASYNC910 - part of a call that is one

    async def _step(self, chunk: Chunk, data: bytes) -> bytes:
        """Send this chunk, and read the next one meanwhile."""
        self._check()
        announcement = CODEC.encode(self._send.announcement(chunk))
        ahead, _ = await together(
            partial(self._read, chunk.number + 1),
            partial(self._transport.send_announced, announcement, data),
        )
        done = self._send.sent()
        if self._progress is not None:
            self._progress(done, self._send.outline.size)
        return ahead

    async def _read(self, number: int) -> bytes:
        """A chunk's bytes; nothing behind the last one."""
        outline = self._send.outline
        if number < outline.total_chunks:
            return await in_thread(partial(self._source.read, outline.chunk(number)))
        await trio.lowlevel.checkpoint()
        return b""

    def _check(self) -> None:
        refusal = self._question.refusal
        if refusal is not None:
            raise TransferAborted(self._send.outline.filename, f"the receiver did: {refusal.reason}")
