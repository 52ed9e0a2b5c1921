"""FILE_SEND_MACHINE and FILE_RECEIVE_MACHINE walked beside the objects that keep to them."""

from aip_trio.errors import IllegalTransition, TransferError, UnexpectedMessage
from aip_trio.messages import BinaryData, FileTransferComplete, FileTransferStart
from aip_trio.protocol import (
    FILE_RECEIVE_MACHINE,
    FILE_SEND_MACHINE,
    FileReceive,
    FileReceiveEvent,
    FileReceiveState,
    FileSend,
    FileSendEvent,
    FileSendState,
    Outline,
)
from aip_trio.testing import machine_test
from tests.actors.model._settings import examples

_CHUNKS = 300  # more than a walk has steps
LONG = Outline("a", 10 * _CHUNKS - 3, 10)
EMPTY = Outline("a", 0, 10)


class RealSend:
    """Each event by the call that makes it; which file it is, is known with the first."""

    def __init__(self) -> None:
        self.send = FileSend(LONG)

    @property
    def state(self) -> FileSendState:
        return self.send.state

    def fire(self, event: FileSendEvent) -> None:
        ready = self.state is FileSendState.READY
        match event:
            case FileSendEvent.START | FileSendEvent.START_EMPTY | FileSendEvent.ASK:
                if ready:
                    outline = EMPTY if event is FileSendEvent.START_EMPTY else LONG
                    self.send = FileSend(outline, "id" if event is FileSendEvent.ASK else None)
                start = self.send.start()
                assert (start.resume, start.total_chunks) == (
                    event is FileSendEvent.ASK or None,
                    self.send.outline.total_chunks,
                )
            case FileSendEvent.RESUME:
                self.send.resume(1)
                assert self.send.due == LONG.chunk(1)
            case FileSendEvent.CHUNK:
                self.send.sent()
            case FileSendEvent.LAST_CHUNK:
                self.send.sent()
                while self.send.due is not None:
                    self.send.sent()
            case FileSendEvent.COMPLETE:
                assert self.send.complete("00").total_chunks == self.send.outline.total_chunks
            case FileSendEvent.FAIL:
                if not self.send.fail() and not ready:
                    raise IllegalTransition(FILE_SEND_MACHINE.name, self.state, event, ())


class RealReceive:
    """Each event by the message that causes it."""

    def __init__(self) -> None:
        self.receive = self.make(LONG)

    def make(self, outline: Outline) -> FileReceive:
        return FileReceive(
            FileTransferStart(
                filename="a",
                size=outline.size,
                chunk_size=outline.chunk_size,
                total_chunks=outline.total_chunks,
                transfer_id="id",
                resume=True,
            )
        )

    @property
    def state(self) -> FileReceiveState:
        return self.receive.state

    def announce(self) -> None:
        chunk = self.receive.outline.chunk(self.receive.chunks)
        announcement = BinaryData(size=chunk.size, chunk_num=chunk.number)
        assert self.receive.announced(announcement) == chunk

    def arrive(self) -> None:
        self.receive.arrived(self.receive.outline.chunk(self.receive.chunks).size)

    def fire(self, event: FileReceiveEvent) -> None:
        match event:
            case FileReceiveEvent.START | FileReceiveEvent.START_EMPTY:
                if self.state is FileReceiveState.WAITING:
                    self.receive = self.make(EMPTY if event is FileReceiveEvent.START_EMPTY else LONG)
                self.receive.begin()
            case FileReceiveEvent.OFFER:
                if self.receive.chunks >= _CHUNKS:
                    raise IllegalTransition(FILE_RECEIVE_MACHINE.name, self.state, event, ())
                self.receive.offer(self.receive.chunks, "00")
            case FileReceiveEvent.ANNOUNCE:
                self.announce()
            case FileReceiveEvent.CHUNK:
                self.arrive()
            case FileReceiveEvent.LAST_CHUNK:
                self.arrive()
                while not self.receive.whole:
                    self.announce()
                    self.arrive()
            case FileReceiveEvent.COMPLETE:
                if not self.receive.whole:
                    self.receive.announced(FileTransferComplete(filename="a", total_chunks=_CHUNKS))
                total = self.receive.outline.total_chunks
                self.receive.complete(FileTransferComplete(filename="a", total_chunks=total), None)
            case FileReceiveEvent.FAIL:
                if self.state in FILE_RECEIVE_MACHINE.terminal:
                    raise IllegalTransition(FILE_RECEIVE_MACHINE.name, self.state, event, ())
                self.receive.fail()


REFUSALS = (IllegalTransition, TransferError, UnexpectedMessage)

TestSend = machine_test(FILE_SEND_MACHINE, RealSend, settings=examples(60))
TestReceive = machine_test(FILE_RECEIVE_MACHINE, RealReceive, refusals=REFUSALS, settings=examples(60))
