"""Files and binary messages that did not come through."""

import attrs

from aip_trio.errors._base import AipError, show
from aip_trio.errors._protocol import UnexpectedMessage
from aip_trio.errors._usage import UsageError

__all__ = [
    "ChecksumMismatch",
    "ChunkMismatch",
    "FileUnavailable",
    "InconsistentTransfer",
    "NoBinaryFrames",
    "SizeMismatch",
    "SourceChanged",
    "TransferAborted",
    "TransferAnnounced",
    "TransferError",
    "TransferTooLarge",
    "TransferUnderWay",
    "UnsafeFilename",
]


class TransferError(AipError):
    """A file or a binary message did not come through. The connection lives on."""


@attrs.define(slots=False)
class SizeMismatch(TransferError, ValueError):
    """Another number of bytes came than was announced; ``what``: of a binary message, or of which chunk."""

    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.what} has {self.found} bytes where {self.expected} are due: have it sent again"


@attrs.define(slots=False)
class ChecksumMismatch(TransferError, ValueError):
    """Other bytes came than were sent. MD5, in hexadecimal."""

    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.what} has checksum={self.found} where {self.expected} was announced: have it sent again"
        )


@attrs.define(slots=False)
class ChunkMismatch(TransferError):
    """Chunks of a file came out of order, or not as many as were announced. They are counted from 0."""

    filename: str
    expected: int
    found: int

    def __str__(self) -> str:
        return (
            f"file {show(self.filename)}: chunk {self.found} came where chunk {self.expected} was due: have"
            " it sent again"
        )


@attrs.define(slots=False)
class InconsistentTransfer(TransferError, ValueError):
    """What announces a file, or ends it, contradicts itself."""

    filename: str
    reason: str

    def __str__(self) -> str:
        return f"file {show(self.filename)} was not sent as it was announced: {self.reason}"


@attrs.define(slots=False)
class TransferTooLarge(TransferError):
    """The file that was announced is larger than what is taken. Nothing of it was written."""

    filename: str
    size: int
    limit: int

    def __str__(self) -> str:
        return (
            f"file {show(self.filename)} has {self.size} bytes, the limit is max_size={self.limit}: raise"
            " max_size, or have less sent"
        )


@attrs.define(slots=False)
class TransferAborted(TransferError):
    """A transfer was given up halfway, by the peer or by us."""

    filename: str
    reason: str

    def __str__(self) -> str:
        return f"the transfer of {show(self.filename)} was given up: {self.reason}"


@attrs.define(slots=False)
class UnsafeFilename(TransferError, ValueError):
    """The peer's name for a file has nothing in it that could be a name here."""

    filename: str

    def __str__(self) -> str:
        return f"no file can be named {show(self.filename)} here: receive it to a path of your own"


@attrs.define(slots=False)
class TransferUnderWay(TransferError):
    """A file is being received to the same path already, by this process or another."""

    path: str

    def __str__(self) -> str:
        return f"another transfer writes to {self.path} now: wait for it, or receive to another path"


@attrs.define(slots=False)
class SourceChanged(TransferError):
    """A file became shorter while it was sent. ``found``: the bytes there were of the ``expected`` ones."""

    path: str
    expected: int
    found: int

    def __str__(self) -> str:
        return (
            f"file {self.path} has become shorter while it was sent: {self.found} of {self.expected} bytes"
            " were there; send it when nobody writes to it"
        )


@attrs.define(slots=False)
class FileUnavailable(TransferError, OSError):
    """The operating system refused a file; ``code`` is its name for the reason, such as ENOENT."""

    path: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"file {self.path}: {self.reason} ({self.code})"


@attrs.define(slots=False)
class TransferAnnounced(UnexpectedMessage):
    """A transfer's announcement came where something else was waited for. It waits to be received as such.

    Whoever goes on without receiving it passes it over, with all that belongs to it.
    """

    def __str__(self) -> str:
        call = "receive_binary_message()" if self.got == "binary_data" else "receive_file()"
        return f"got {self.got} where {self.wanted} was due: {call} takes it"


@attrs.define(slots=False)
class NoBinaryFrames(UsageError, TypeError):
    """A transport that does not tell binary messages from text, as announcements need it."""

    transport: object
    call: str

    def __str__(self) -> str:
        return (
            f"{self.call} on transport={show(self.transport)}, which has no binary frames: use a"
            " WebSocketTransport, or give it send_binary() and receive_auto()"
        )
