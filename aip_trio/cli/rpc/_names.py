"""Commands and topics as people read and write them: a name, or enough of one, or a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aip_trio.errors import InvalidOption

if TYPE_CHECKING:
    from aip_trio.rpc import (
        ApiCommand,
        ApiCommandRequestErrorKind,
        ApiCommandRequestResult,
        ApiEventKind,
        ApiTopic,
    )

__all__ = ["find", "label"]

_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def find(what: str, text: str, numbers: Mapping[str, int]) -> int:
    """The number that a text stands for: itself, or that of the one name that it may be short for.

    ``what``: the option's name, for errors. ``numbers``: of each name. Case does not matter, and a dash is
    an underscore. A whole name comes first, then names that begin with the text, then those with a word that
    does: ``status`` is GET_STATUS. Raises InvalidOption, which lists the names.
    """
    if _NUMBER.fullmatch(text):
        return int(text)
    wanted = text.strip().upper().replace("-", "_")
    every = {name.upper(): name for name in numbers}
    if wanted in every:
        return numbers[every[wanted]]
    found = [name for name in every if name.startswith(wanted)]
    found = found or [name for name in every if f"_{wanted}" in name]
    if wanted and len(found) == 1:
        return numbers[every[found[0]]]
    if wanted and found:
        raise InvalidOption(what, text, f"may be each of {', '.join(found)}: write more of it")
    raise InvalidOption(what, text, f"is none: write a number, or one of {', '.join(numbers)}")


def label(
    member: ApiCommand | ApiCommandRequestErrorKind | ApiCommandRequestResult | ApiEventKind | ApiTopic,
) -> str | int:
    """Its name, or its number where it has none."""
    return member.name if member.known else int(member)
