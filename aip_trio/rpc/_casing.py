"""The names of keys: camelCase on the wire, snake_case in Python. Values are never renamed.

The rules are those of pyhumps 3.8, which the peers use, so that a program which moves here finds its keys
under the names it knows. A name of lower-case words joined by single underscores, each of which begins with
two letters, comes back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

__all__ = ["CAMEL", "SNAKE", "snake_keys"]

#: Names that are remembered, in each direction, and the longest of them: a peer makes names up.
_MOST = 4096
_LONGEST = 64

# A separator within a name, and the letter that takes its place.
_SEPARATOR = re.compile(r"(?<=[^-_])[-_]+([^-_])")
# Capitals and digits up to the capital that begins the next word: API in APIResponse.
_ACRONYM = re.compile(r"[A-Z\d]+(?=[A-Z\d]|$)")
# A word, with the separators before it: all of them or none, or else a key that consists of them takes the
# square of its length.
_WORD = re.compile(r"((?:(?<![-_])[-_]+)?[A-Z][^A-Z]*)")


class _Names(dict[str, str]):
    """What each key is called on the other side."""

    def __init__(self, rename: Callable[[str], str]) -> None:
        super().__init__()
        self._rename = rename

    def __missing__(self, key: str) -> str:
        name = self._rename(key)
        if len(key) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[key] = name
        return name


def _camel(key: str) -> str:
    name = "".join(key.split())
    if name.isupper() or name.isnumeric():
        return key
    if not name[:2].isupper():
        name = name[:1].lower() + name[1:]
    return _SEPARATOR.sub(lambda found: found[1].upper(), name)


def _snake(key: str) -> str:
    name = "".join(key.split())
    if name.isupper() or name.isnumeric():
        return key
    name = _ACRONYM.sub(lambda found: found[0].title(), name)
    return "_".join(filter(None, _WORD.split(name))).lower()


#: ``CAMEL["device_id"]`` is ``"deviceId"``
CAMEL = _Names(_camel)

#: ``SNAKE["deviceId"]`` is ``"device_id"``
SNAKE = _Names(_snake)

_CONTAINERS = frozenset((dict, list))


def snake_keys(value: object) -> object:
    """What was read from JSON, with all its keys in snake_case, however deep. Raises RecursionError."""
    if type(value) is dict:
        return {
            SNAKE[key]: snake_keys(part) if type(part) in _CONTAINERS else part
            for key, part in cast("dict[str, object]", value).items()
        }
    if type(value) is list:
        return [
            snake_keys(part) if type(part) in _CONTAINERS else part for part in cast("list[object]", value)
        ]
    return value
