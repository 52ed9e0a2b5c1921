"""What text frames say of the binary frames between them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import attrs
import msgspec

from aip_trio.errors import DecodeError, EncodeError
from aip_trio.messages._codec import MAX_SIZE, Codec
from aip_trio.messages._model import WireModel
from aip_trio.messages._plain import is_object
from aip_trio.messages._unwritable import REFUSALS, unwritable

__all__ = [
    "BinaryData",
    "FileTransferAbort",
    "FileTransferComplete",
    "FileTransferResume",
    "FileTransferStart",
    "Transfer",
    "TransferCodec",
    "TransferMessage",
]

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
_Size: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


@attrs.frozen(kw_only=True)
class BinaryData(WireModel):
    """Announces the one binary frame that follows it: ``size`` bytes.

    ``checksum`` is their MD5, in hexadecimal. A chunk of a file has a number, from 0, and its size once more.
    """

    type: Literal["binary_data"] = "binary_data"
    size: _Count
    filename: str | None = None
    mime_type: str | None = None
    checksum: str | None = None
    chunk_num: _Count | None = None
    chunk_size: _Count | None = None


@attrs.frozen(kw_only=True)
class FileTransferStart(WireModel):
    """Announces a file of ``size`` bytes, in ``total_chunks`` chunks of ``chunk_size`` bytes.

    ``resume``: the sender waits to be told, by a `FileTransferResume`, what the receiver has of the transfer
    of this ``transfer_id``.
    """

    type: Literal["file_transfer_start"] = "file_transfer_start"
    filename: str
    size: _Count
    chunk_size: _Size
    total_chunks: _Count
    mime_type: str | None = None
    transfer_id: str | None = None
    resume: bool | None = None


@attrs.frozen(kw_only=True)
class FileTransferComplete(WireModel):
    """Follows a file's last chunk. ``checksum`` is the MD5 of the file, in hexadecimal."""

    type: Literal["file_transfer_complete"] = "file_transfer_complete"
    filename: str
    total_chunks: _Count
    checksum: str | None = None


@attrs.frozen(kw_only=True)
class FileTransferResume(WireModel):
    """Answers a start with ``resume``: the first so many chunks are there, with this MD5 in hexadecimal."""

    type: Literal["file_transfer_resume"] = "file_transfer_resume"
    transfer_id: str
    chunks: _Count
    checksum: str | None = None


@attrs.frozen(kw_only=True)
class FileTransferAbort(WireModel):
    """Nothing more comes of a transfer, or is taken of it: whoever sends this has given it up."""

    type: Literal["file_transfer_abort"] = "file_transfer_abort"
    filename: str
    reason: str
    transfer_id: str | None = None


TransferMessage: TypeAlias = (
    BinaryData | FileTransferStart | FileTransferComplete | FileTransferResume | FileTransferAbort
)

_CLASSES: dict[str, type[TransferMessage]] = {
    "binary_data": BinaryData,
    "file_transfer_start": FileTransferStart,
    "file_transfer_complete": FileTransferComplete,
    "file_transfer_resume": FileTransferResume,
    "file_transfer_abort": FileTransferAbort,
}


@attrs.frozen
class Transfer:
    """A transfer message that was read, and all members of its frame: peers add some of their own."""

    message: TransferMessage
    members: dict[str, Any]


class TransferCodec:
    """Writes and reads the messages about binary frames, and tells them from other frames.

    They are JSON whatever the rest of the connection is, and leave unset members out, as those peers do who
    add members of their own.
    """

    def __init__(self, *, max_size: int = MAX_SIZE) -> None:
        self._codec = Codec(*_CLASSES.values(), max_size=max_size)

    def encode(self, message: TransferMessage, extra: Mapping[str, object] | None = None) -> bytes:
        """Write a message, with further members of the caller's own.

        Raises `EncodeError`: for a value without a form in JSON, and for an ``extra`` member that would
        take a field's place.
        """
        name = type(message).__name__
        fields = message.model_dump()
        members = {key: value for key, value in fields.items() if value is not None}
        if taken := fields.keys() & (extra or {}).keys():
            raise EncodeError(name, f"extra has {sorted(taken)}, which are fields; give them to {name}")
        members.update(extra or {})
        return _written(members, name)

    def announce(self, size: int, metadata: Mapping[str, object]) -> bytes:
        """Write the `BinaryData` of so many bytes; of ``metadata``, what has a field's name is that field.

        Its own ``type`` and ``size``, if it has them, are left out. Raises `EncodeError`.
        """
        members: dict[str, object] = {"type": "binary_data", "size": size}
        members = members | dict(metadata) | members
        try:
            self._codec.convert(members, BinaryData)
        except DecodeError as error:
            raise EncodeError("BinaryData", f"{'; '.join(error.faults)}; mend the metadata") from error
        return _written(members, "BinaryData")

    def decode(self, data: bytes) -> Transfer | None:
        """Read a text frame; None where it is none of these messages.

        A connection has more of other frames: let its own codec have them first, and this one what it
        refuses. Raises `DecodeError`, which lists each fault, for one of these messages gone wrong.
        """
        try:
            members = self._codec.plain(data)
        except DecodeError:
            return None
        kind = members.get("type") if is_object(members) else None
        cls = _CLASSES.get(kind) if isinstance(kind, str) else None
        return None if cls is None else Transfer(self._codec.convert(members, cls), members)


def _written(members: Mapping[str, object], name: str) -> bytes:
    try:
        return msgspec.json.encode(members)
    except REFUSALS as error:
        raise unwritable(members, name, msgspec.json.encode, error) from error
