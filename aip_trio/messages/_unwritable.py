"""What cannot be written, and where in a message it is."""

from collections.abc import Callable, Iterator

import attrs
import msgspec

from aip_trio.errors import EncodeError
from aip_trio.errors._base import show
from aip_trio.messages._plain import is_array, is_object

__all__ = ["REFUSALS", "unwritable"]

#: What msgspec raises for a value that has no form on the wire.
REFUSALS = (TypeError, ValueError, OverflowError, RecursionError, msgspec.EncodeError)

#: What is further in is not looked for (nor is the end of what holds itself).
_DEEPEST = 64


def unwritable(
    message: object, name: str, encode: Callable[[object], bytes], error: Exception
) -> EncodeError:
    """The error that says why ``encode`` refused the message of this name, and for which value in it."""
    if isinstance(error, RecursionError):
        return EncodeError(name, "it nests too deep, or holds itself; send a flatter one")
    return EncodeError(name, f"{error} @ {_path(message, encode)}; convert that to plain values first")


def _path(message: object, encode: Callable[[object], bytes]) -> str:
    """The way to the innermost value that ``encode`` refuses."""
    path = "$"
    for _ in range(_DEEPEST):
        for step, part in _parts(message):
            if _refuses(encode, part):
                path, message = path + step, part
                break
        else:
            break
    return path


def _refuses(encode: Callable[[object], bytes], part: object) -> bool:
    try:
        encode(part)
    except RecursionError:  # not what stopped the whole
        return False
    except REFUSALS:
        return True
    return False


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """What a value is made of, each with its step of the path."""
    cls: type[object] = type(value)
    if attrs.has(cls):
        for field in attrs.fields(cls):
            yield f".{field.name}", getattr(value, field.name)
    elif is_object(value):
        for key, part in value.items():
            yield f"[{show(key)}]", part
    elif is_array(value):
        for index, part in enumerate(value):
            yield f"[{index}]", part
