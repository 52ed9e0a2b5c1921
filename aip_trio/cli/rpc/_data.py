"""A command's data as people write it: JSON, a file that holds it, or standard input."""

import json
import sys
from typing import NoReturn, TextIO, cast

from aip_trio.errors import InvalidOption

__all__ = ["parse_data", "read_data"]

#: Characters: more than that is no command's data, but the wrong file.
_LONGEST = 16 * 1024 * 1024


def read_data(text: str | None) -> object:
    """What ``--data`` says: JSON, ``@file``, or ``-`` for standard input; None where it says nothing.

    Raises InvalidOption.
    """
    if text is None:
        return None
    if text == "-":
        return parse_data(text, _read(text, cast("TextIO | None", sys.stdin)))
    if text.startswith("@"):
        try:
            file = open(text[1:], encoding="utf-8")  # noqa: SIM115 - closed two lines below
        except (OSError, ValueError) as error:
            raise _unreadable(text, error) from error
        with file:
            return parse_data(text, _read(text, file))
    return parse_data(text, text)


def parse_data(shown: str, source: str) -> object:
    """A value of JSON. ``shown``: what an error calls it. Raises InvalidOption."""
    try:
        return cast("object", json.loads(source, parse_constant=_no_number))
    except (ValueError, RecursionError) as error:
        raise InvalidOption(
            "data", shown, f"""is no JSON ({error}): write it as '{{"key": 1}}', @file, or - for stdin"""
        ) from error


def _read(text: str, stream: TextIO | None) -> str:
    if stream is None:
        raise InvalidOption("data", text, "is standard input, which is closed: give the JSON itself")
    try:
        content = stream.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(text, error) from error
    if len(content) > _LONGEST:
        raise InvalidOption("data", text, f"has more than {_LONGEST} characters: give less")
    if not content.strip():
        raise InvalidOption("data", text, "is empty: put JSON there, or leave --data out")
    return content


def _unreadable(text: str, error: OSError | ValueError) -> InvalidOption:
    told = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InvalidOption("data", text, f"cannot be read ({told}): name a file that holds JSON")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
