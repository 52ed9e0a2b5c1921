"""Python's values as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import cast
from uuid import UUID

import attrs
import msgspec

from aip_trio.errors._base import show
from aip_trio.rpc._casing import CAMEL

__all__ = ["REFUSALS", "unwritable", "write"]

#: What `write` raises for a value that has no form in JSON.
REFUSALS = (TypeError, ValueError, OverflowError, RecursionError)

#: What is further in is not looked for (nor is the end of what holds itself).
_DEEPEST = 64

_ATOMS = frozenset((str, int, float, bool, type(None)))


_encode = msgspec.json.Encoder().encode


def write(value: object) -> bytes:
    """Write a value, its keys in camelCase.

    UUIDs and dates become strings, a datetime its Unix time in seconds, an enum's member its value,
    instances of attrs classes and dataclasses objects, NaN and the infinities null. Raises one of
    `REFUSALS`.
    """
    return _encode(_plain(value))


def _plain(value: object) -> object:
    cls = type(value)
    if cls in _ATOMS:
        return value
    if cls is dict:
        return _object(cast("dict[object, object]", value))
    if cls is list or cls is tuple:
        return [_plain(part) for part in cast("list[object]", value)]
    return _converted(value)


def _object(value: Mapping[object, object]) -> dict[str, object]:
    return {
        CAMEL[key if type(key) is str else _name(key)]: part if type(part) in _ATOMS else _plain(part)
        for key, part in value.items()
    }


def _name(key: object) -> str:
    """A key that is no plain string, as JSON writes it."""
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, str):
        return str.__str__(key)
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (int, float, UUID)):
        return str(key)
    raise TypeError(f"a key is {show(key)}, a {type(key).__name__}")


def _converted(value: object) -> object:
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return _object(cast("Mapping[object, object]", value))
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in cast("list[object]", value)]
    if (fields := _fields(value)) is not None:
        return {CAMEL[name]: _plain(getattr(value, name)) for name in fields}
    for atom in (str, int, float):  # subclasses: what they are beside it stays here
        if isinstance(value, atom):
            return atom(value)
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def _fields(value: object) -> tuple[str, ...] | None:
    """The fields of an instance of an attrs class or a dataclass."""
    cls: type[object] = type(value)
    if attrs.has(cls):
        return tuple(field.name for field in attrs.fields(cls))
    if dataclasses.is_dataclass(value):
        return tuple(field.name for field in dataclasses.fields(value))
    return None


def unwritable(value: object, error: Exception) -> str:
    """Why `write` refused a value, and which part of it."""
    if isinstance(error, RecursionError):
        return "it nests too deep, or holds itself; send a flatter one"
    return f"{_one_line(error)} @ {_path(value)}; convert that to plain values first"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).splitlines()) or type(error).__name__


def _path(value: object) -> str:
    """The way to the innermost value that has no form in JSON."""
    path = "$"
    for _ in range(_DEEPEST):
        for step, part in _parts(value):
            if _refused(part):
                path, value = path + step, part
                break
        else:
            break
    return path


def _refused(value: object) -> bool:
    try:
        write(value)
    except RecursionError:  # not what stopped the whole
        return False
    except REFUSALS:
        return True
    return False


def _parts(value: object) -> Iterator[tuple[str, object]]:
    """What a value is made of, each with its step of the path."""
    if isinstance(value, Mapping):
        for key, part in cast("Mapping[object, object]", value).items():
            yield f"[{show(key)}]", part
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(cast("list[object]", value)):
            yield f"[{index}]", part
    else:
        for name in _fields(value) or ():
            yield f".{name}", getattr(value, name)
