"""Messages to bytes and back."""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

import msgspec

from aip_trio.errors import DecodeError, EncodeError, InvalidSpec, InvalidWireClass
from aip_trio.messages._faults import fault, faults
from aip_trio.messages._fitness import fit
from aip_trio.messages._nulls import Nulls
from aip_trio.messages._unwritable import REFUSALS, unwritable

__all__ = ["MAX_SIZE", "Codec", "Format"]

T = TypeVar("T")

#: The largest message that is written or read, in bytes: 100 MiB.
MAX_SIZE = 100 * 1024 * 1024

#: Up to so many bytes cattrs lists the faults of what was refused. Of more, msgspec names the first one: it
#: is many times faster, and nobody else waits for long.
_LOOKED_THROUGH = 256 * 1024

_TOO_DEEP = "nests too deep"

#: What msgspec raises for bytes that are not of its format, whatever they ought to say.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Format(Enum):
    """How messages are written."""

    JSON = "JSON"
    MSGPACK = "MessagePack"


class Codec:
    """Writes and reads instances of the attrs classes that it is given, and of no others.

    msgspec writes and reads. Unknown fields are passed over, and a null is the same as an absent field.
    Where msgspec refuses, cattrs lists all that is wrong (the first fault alone, in a message of more than
    256 KiB); msgspec's verdict stands. NaN and the infinities have no form in JSON, and become null there.

    ``max_size`` is in bytes, for writing and for reading. Raises `InvalidWireClass` for a class that
    would come out on the other side as something else.
    """

    def __init__(self, *classes: type[Any], format: Format = Format.JSON, max_size: int = MAX_SIZE) -> None:
        if not isinstance(format, Format):
            raise InvalidSpec("Codec.format", format, "give Format.JSON or Format.MSGPACK")
        if not isinstance(max_size, int) or max_size < 1:
            raise InvalidSpec("Codec.max_size", max_size, "give a number of bytes, 1 or more")
        library = msgspec.json if format is Format.JSON else msgspec.msgpack
        self.format = format
        self.max_size = max_size
        self._nulls = {cls: Nulls(fit(cls)) for cls in classes}
        self._decoders: dict[type[Any], Callable[[bytes], Any]] = {
            cls: library.Decoder(cls).decode for cls in classes
        }
        # What a plain value may be that is no string: else msgspec would read such a thing from a string.
        self._native = () if format is Format.JSON else (bytes, bytearray, memoryview)
        self._decode_plain: Callable[[bytes], Any] = library.Decoder().decode
        self._encode: Callable[[object], bytes] = library.Encoder().encode

    def __repr__(self) -> str:
        classes = ", ".join(cls.__name__ for cls in self._decoders)
        return f"Codec({classes}, format={self.format}, max_size={self.max_size})"

    def encode(self, message: object) -> bytes:
        """Write a message: every field, null where it is unset.

        Raises `EncodeError` where it holds what has no form on the wire, or is larger than ``max_size``.
        """
        if type(message) not in self._decoders:
            raise self._unknown(type(message))
        try:
            data = self._encode(message)
        except REFUSALS as error:
            raise unwritable(message, type(message).__name__, self._encode, error) from error
        if len(data) > self.max_size:
            reason = f"takes {len(data):,} bytes, more than max_size={self.max_size:,}; send it in parts"
            raise EncodeError(type(message).__name__, reason)
        return data

    def decode(self, data: bytes, cls: type[T]) -> T:
        """Read a message of this class.

        Raises `DecodeError`, which lists each fault with its path; for more than ``max_size`` bytes
        before anything of them is read.
        """
        decoder = self._decoders.get(cls)
        if decoder is None:
            raise self._unknown(cls)
        if len(data) > self.max_size:
            raise self._too_long(data, cls.__name__)
        try:
            message: T = decoder(data)
        except msgspec.ValidationError as error:
            return self._decode_again(data, cls, error)
        except _UNREADABLE as error:
            raise self._unreadable(error, cls.__name__) from error
        return message

    def plain(self, data: bytes) -> Any:
        """Read whatever the bytes say: dicts, lists and what is in them. Raises `DecodeError`."""
        if len(data) > self.max_size:
            raise self._too_long(data, self.format.value)
        try:
            return self._decode_plain(data)
        except _UNREADABLE as error:
            raise self._unreadable(error, self.format.value) from error

    def convert(self, value: object, cls: type[T]) -> T:
        """Make a message of plain values, as `plain` gives them.

        Raises `DecodeError`, which lists each fault with its path.
        """
        if cls not in self._decoders:
            raise self._unknown(cls)
        return self._converted(value, cls, every_fault=True)

    def _decode_again(self, data: bytes, cls: type[T], first: msgspec.ValidationError) -> T:
        """What was refused for its ``first`` fault may do without nulls; else all its faults are told."""
        try:
            plain = self._decode_plain(data)
        except msgspec.ValidationError:  # a number out of range: the first error knows the field
            raise DecodeError(cls.__name__, (fault(first),)) from first
        except _UNREADABLE as error:
            raise self._unreadable(error, cls.__name__) from error
        return self._converted(plain, cls, every_fault=len(data) <= _LOOKED_THROUGH)

    def _converted(self, value: object, cls: type[T], *, every_fault: bool) -> T:
        try:
            plain = self._nulls[cls].without(value)
            return self._made(plain, cls, every_fault=every_fault)
        except RecursionError as error:
            raise _refused(cls.__name__, _TOO_DEEP) from error

    def _made(self, plain: object, cls: type[T], *, every_fault: bool) -> T:
        text_keys = self.format is Format.JSON
        try:
            return msgspec.convert(plain, cls, builtin_types=self._native, str_keys=text_keys)
        except msgspec.ValidationError as error:
            found = faults(plain, cls) if every_fault else ()
            raise DecodeError(cls.__name__, found or (fault(error),)) from error

    def _unreadable(self, error: Exception, wanted: str) -> DecodeError:
        if isinstance(error, RecursionError):
            return _refused(wanted, _TOO_DEEP)
        if isinstance(error, msgspec.ValidationError):
            return DecodeError(wanted, (fault(error),))
        return _refused(wanted, f"is no {self.format.value}: {error}")

    def _too_long(self, data: bytes, wanted: str) -> DecodeError:
        return _refused(wanted, f"is {len(data):,} bytes long, more than max_size={self.max_size:,}")

    def _unknown(self, cls: type[Any]) -> InvalidWireClass:
        known = ", ".join(one.__name__ for one in self._decoders)
        return InvalidWireClass(cls, f"is none of this codec's ({known}); give it to Codec()")


def _refused(wanted: str, what: str) -> DecodeError:
    return DecodeError(wanted, (f"{what} @ $",))
