"""What comes over a transport, sorted: messages, and what belongs to transfers."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from functools import cached_property

import attrs
import trio

from aip_trio.errors import (
    DecodeError,
    PeerError,
    TransferAborted,
    TransferAnnounced,
    TransportBusy,
    TransportError,
    UnexpectedMessage,
)
from aip_trio.messages import (
    BinaryData,
    FileTransferAbort,
    FileTransferComplete,
    FileTransferResume,
    FileTransferStart,
    Transfer,
    TransferCodec,
    TransferMessage,
)
from aip_trio.transport import Transport

__all__ = ["CODEC", "Intake", "Question"]

CODEC = TransferCodec()

#: What comes between the frames of a transfer waits to be received: not more than either of these.
_MOST_MESSAGES = 1024
_MOST_BYTES = 16 * 1024 * 1024


@attrs.define(eq=False)
class Question:
    """What a sender has asked, or may be told, of its transfer."""

    transfer_id: str | None
    answer: FileTransferResume | None = None
    refusal: FileTransferAbort | None = None

    @property
    def settled(self) -> bool:
        """Whether the receiver has said anything."""
        return self.answer is not None or self.refusal is not None

    def takes(self, message: TransferMessage) -> bool:
        """Whether a message is meant for it."""
        if not isinstance(message, (FileTransferResume, FileTransferAbort)):
            return False
        if self.transfer_id is None or message.transfer_id != self.transfer_id:
            return False
        if isinstance(message, FileTransferResume):
            self.answer = message
        else:
            self.refusal = message
        return True


class Intake:
    """Reads a transport for those who wait for messages, and for those who wait for transfers.

    One task receives at a time, whatever it waits for; what comes for the other kind is kept for it, and what
    was given up is passed over. Only a sender that has asked its receiver something reads beside it: what it
    finds is kept, and who receives meanwhile waits for that.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        #: messages that came in the middle of a transfer
        self._aside: list[bytes] = []
        self._aside_bytes = 0
        #: what was announced and not received; of a binary message, the binary frame is next
        self._held: Transfer | None = None
        #: nobody has been told of it
        self._untold = False
        #: the file that is being received, while its end has not come
        self._in_file: str | None = None
        #: the rest of a file that was given up still comes
        self._dropping = False
        self._question: Question | None = None
        self._reading = 0
        self._asking = False

    @cached_property
    def _lot(self) -> trio.lowlevel.ParkingLot:
        """Who waits; made when first used, since most connections never transfer anything."""
        return trio.lowlevel.ParkingLot()

    # For messages

    async def message(self) -> bytes:
        """The next frame that may be a message. A checkpoint; cancelled, nothing is lost.

        Raises TransferAnnounced for what a sender has found that looked for an answer.
        """
        while True:
            if self._aside:
                await trio.lowlevel.checkpoint()
                data = self._aside.pop(0)
                self._aside_bytes -= len(data)
                return data
            if self._asking:
                await self._lot.park()
            elif self._held is not None and self._untold:
                await trio.lowlevel.checkpoint()
                self._untold = False
                raise TransferAnnounced("a message", self._held.message.type)
            elif self._held is not None:
                await self._pass_over(self._held)
            else:
                self._reading += 1
                try:
                    return await self.transport.receive()
                except TransportError:
                    self._forget()
                    raise
                finally:
                    self._read()

    def took(self, fault: PeerError, data: bytes, wanted: str) -> bool:
        """Whether what is no message for this ``fault`` belongs to a transfer, and is settled with that.

        Raises TransferAnnounced for what can be received, and DecodeError for what is malformed.
        """
        transfer = CODEC.decode(data) if isinstance(fault, DecodeError) and type(data) is bytes else None
        if transfer is None:
            return False
        if not self._settled(transfer) and isinstance(transfer.message, (BinaryData, FileTransferStart)):
            self._held = transfer
            raise TransferAnnounced(wanted, transfer.message.type) from fault
        return True

    def pass_over(self, fault: DecodeError, data: bytes, wanted: str) -> None:
        """As `took`, where nobody receives transfers: UnexpectedMessage for what is announced."""
        try:
            self.took(fault, data, wanted)
        except TransferAnnounced as announced:
            raise UnexpectedMessage(wanted, announced.got) from fault

    async def _pass_over(self, held: Transfer) -> None:
        """Let go of what was announced, as nobody has come for it."""
        if isinstance(held.message, BinaryData) and self.transport.has_binary_frames:
            await self.payload()
        else:
            await trio.lowlevel.checkpoint()
            self._held = None
            self._dropping = isinstance(held.message, FileTransferStart)

    # For transfers

    async def announced(self, wanted: type[BinaryData | FileTransferStart]) -> Transfer:
        """The announcement of what is to be received. A checkpoint; cancelled, nothing is lost.

        Raises TransferAnnounced where the other kind is announced, and UnexpectedMessage for what ends
        something that has not begun.
        """
        while True:
            transfer = await self._transfer()
            message = transfer.message
            if isinstance(message, (BinaryData, FileTransferStart)):
                break
            if not isinstance(message, FileTransferAbort):  # of one that was given up before it began
                raise UnexpectedMessage(_kind(wanted), message.type)
        if isinstance(message, BinaryData) or not isinstance(message, wanted):
            self._held = transfer
        if not isinstance(message, wanted):
            raise TransferAnnounced(_kind(wanted), message.type)
        self._in_file = message.filename if isinstance(message, FileTransferStart) else None
        return transfer

    async def next(self) -> TransferMessage:
        """The next message about a file that is being received; of a chunk, `payload` is next. A checkpoint.

        Raises TransferAborted where the sender has given it up, or begun another one.
        """
        transfer = await self._transfer()
        message = transfer.message
        if isinstance(message, BinaryData):
            self._held = transfer
            return message
        self._in_file = None
        if isinstance(message, FileTransferAbort):
            raise TransferAborted(message.filename, f"by the sender: {message.reason}")
        if isinstance(message, FileTransferStart):
            self._held = transfer
            raise TransferAborted(message.filename, "the sender has begun anew")
        return message

    async def payload(self) -> bytes:
        """The binary frame of what was announced. A checkpoint; cancelled, nothing is lost.

        Raises UnexpectedMessage where something else is announced before it has come.
        """
        while True:
            frame = await self._frame()
            if isinstance(frame, bytes):
                self._held = None
                return frame
            torn = self._sorted(frame.encode())
            if torn is not None:
                self._held = torn
                raise UnexpectedMessage("the binary frame that was announced", torn.message.type)

    def give_up(self) -> None:
        """What still comes of the file that is being received is to be passed over."""
        self._dropping, self._in_file = self._in_file is not None, None

    async def _transfer(self) -> Transfer:
        while True:
            if self._held is not None and not self._dropping:
                await trio.lowlevel.checkpoint()
                transfer, self._held, self._untold = self._held, None, False
                return transfer
            if self._held is not None:
                await self._pass_over(self._held)
                continue
            frame = await self._frame()
            found = self._sorted(frame if isinstance(frame, bytes) else frame.encode())
            if found is not None:
                return found

    async def _frame(self) -> str | bytes:
        while self._asking:
            await self._lot.park()
        if not self._has_room:
            await trio.lowlevel.checkpoint()
            reason = f"{len(self._aside)} messages came in the middle of it, and nobody has received them"
            raise TransferAborted(self._in_file or "a binary message", reason)
        self._reading += 1
        try:
            return await self.transport.receive_auto()
        except TransportError:
            self._forget()
            raise
        finally:
            self._read()

    def _forget(self) -> None:
        """Of what had begun to come over a connection that is lost, nothing comes over the next one."""
        self._held = self._in_file = None
        self._dropping = False

    def _read(self) -> None:
        self._reading -= 1
        if self._question is not None:
            self._lot.unpark_all()

    def _sorted(self, data: bytes) -> Transfer | None:
        """A transfer's message that is not settled; what is none is put aside."""
        transfer = CODEC.decode(data)
        if transfer is None:
            self._aside.append(data)
            self._aside_bytes += len(data)
            return None
        return None if self._settled(transfer) else transfer

    @property
    def _has_room(self) -> bool:
        return len(self._aside) < _MOST_MESSAGES and self._aside_bytes < _MOST_BYTES

    def _settled(self, transfer: Transfer) -> bool:
        """Whether a transfer's message needs nobody: it answers a sender, or belongs to what was given up."""
        message = transfer.message
        if self._question is not None and self._question.takes(message):
            self._lot.unpark_all()
            return True
        if isinstance(message, FileTransferResume):  # too late
            return True
        if not self._dropping:
            return False
        if isinstance(message, BinaryData) and message.chunk_num is not None:
            self._held = transfer
            return True
        self._dropping = isinstance(message, BinaryData)
        return isinstance(message, (FileTransferComplete, FileTransferAbort))

    # For senders

    @contextlib.contextmanager
    def listening(self, question: Question) -> Generator[None]:
        """What the receiver says of this transfer, meanwhile, is put in here."""
        self._question = question
        try:
            yield
        finally:
            self._question = None

    async def wait_settled(self, question: Question) -> None:
        """Wait until the receiver has said something; set a deadline. A checkpoint.

        Where nobody receives, this does, as long as what it finds can be kept.
        """
        await trio.lowlevel.checkpoint()
        while not question.settled:
            if self._reading or not self._has_room or (self._held is not None and not self._dropping):
                await self._lot.park()
            else:
                await self._look()

    async def _look(self) -> None:  # noqa: ASYNC910 - it reads, or it parks
        """Take one frame, for a sender, and keep it for whom it may concern."""
        self._asking, busy = True, False
        try:
            frame = await self.transport.receive_auto()
            if isinstance(frame, bytes) and self._held is not None:  # of a file that was given up
                self._held = None
            elif (found := self._sorted(frame if isinstance(frame, bytes) else frame.encode())) is not None:
                self._held, self._untold = found, True
        except TransportError:
            self._forget()
            raise
        except TransportBusy:  # somebody reads past this object, and will not tell us
            busy = True
        finally:
            self._asking = False
            self._lot.unpark_all()
        if busy:
            await self._lot.park()


def _kind(wanted: type[BinaryData | FileTransferStart]) -> str:
    return "binary_data" if wanted is BinaryData else "file_transfer_start"
