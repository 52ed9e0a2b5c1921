"""Values of a device's, as they fit into what is told to a fleet."""

from __future__ import annotations

import msgspec

__all__ = ["fitted"]

#: What msgspec raises for a value that has no form in MessagePack; JSON takes all that this takes.
_REFUSALS = (TypeError, ValueError, OverflowError, RecursionError)


def fitted(value: object, longest: int) -> tuple[object, int]:
    """The value and its size, or what says why it is left out: its form has more than ``longest`` bytes, or
    there is none.

    What a device publishes is JSON of any kind: numbers of a hundred digits, and halves of characters.
    """
    try:
        size = len(msgspec.msgpack.encode(value))
    except _REFUSALS as error:
        value = {"omitted": f"cannot be sent on: {' '.join(str(error).split())}"}
        return value, len(msgspec.msgpack.encode(value))
    if size > longest:
        value = {"omitted": f"{size} bytes, more than the {longest} that are kept"}
        return value, len(msgspec.msgpack.encode(value))
    return value, size
