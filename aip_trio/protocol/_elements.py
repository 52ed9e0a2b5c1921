"""Several messages in one frame: a JSON array of them (seed 001, "Batch Messages")."""

from __future__ import annotations

from itertools import takewhile
from typing import cast

import msgspec

from aip_trio.errors import DecodeError

__all__ = ["MOST", "Element", "elements"]

#: Messages in one frame.
MOST = 1024

_END = msgspec.Raw()

#: An array of so many members and no more: unlike a list, msgspec stops reading at the first one too many,
#: and so a frame of a hundred million bytes does not become as many objects.
_Members = msgspec.defstruct(
    "_Members",
    [(f"member_{index}", msgspec.Raw, _END) for index in range(MOST)],
    array_like=True,
    forbid_unknown_fields=True,
)
_DECODER = msgspec.json.Decoder(_Members)


class Element(bytes):
    """One message of an array, or what is wrong with the array."""

    place: int
    fault: str | None

    @classmethod
    def of(cls, data: bytes, index: int, fault: str | None = None) -> Element:
        """The bytes of a message, and where they stood."""
        element = cls(data)
        element.place = index
        element.fault = fault
        return element

    def locate(self, error: DecodeError) -> DecodeError:
        """What its decoding has raised, with this message's place in each path; or what is wrong with all."""
        if self.fault is not None:
            return DecodeError(error.wanted, (self.fault,))
        return DecodeError(error.wanted, tuple(self._locate(fault) for fault in error.faults))

    def _locate(self, fault: str) -> str:
        what, at, path = fault.rpartition(" @ $")
        return f"{what}{at}[{self.place}]{path}" if at else f"{fault} @ $[{self.place}]"


def elements(data: bytes, max_size: int) -> list[Element]:
    """The messages in a frame that begins as an array: not parsed yet, each with its index, at least one.

    Of a frame that is none, one element that says so: whoever decodes it gets that error.
    """
    try:
        if len(data) > max_size:
            return _no(f"is {len(data):,} bytes long, more than max_size={max_size:,}")
        members = cast("tuple[msgspec.Raw, ...]", msgspec.structs.astuple(_DECODER.decode(data)))
    except msgspec.ValidationError:
        return _no(f"is an array of more than {MOST:,} messages")
    except RecursionError:
        return _no("nests too deep")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _no(f"is no JSON: {error}")
    present = takewhile(lambda raw: raw is not _END, members)
    found = [Element.of(bytes(raw), index) for index, raw in enumerate(present)]
    return found or _no("is an empty array")


def _no(what: str) -> list[Element]:
    return [Element.of(b"", 0, f"{what} @ $")]
