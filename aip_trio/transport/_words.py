"""What HTTP calls a token, and what a caller may give as one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aip_trio.errors import InvalidSpec

__all__ = ["check_headers", "check_subprotocols"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(r"(?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?")  # section 5.5


def check_headers(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as bytes. Raises InvalidSpec, which names them, but shows no value: it may be a secret."""
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise InvalidSpec("headers", name, "is no name of a header: take letters, digits and hyphens")
        if not _VALUE.fullmatch(value):
            raise InvalidSpec("headers", name, "its value has a character that HTTP does not: leave it out")
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]


def check_subprotocols(names: Sequence[str]) -> list[str]:
    """Subprotocols as a list. Raises InvalidSpec."""
    if isinstance(names, str):
        raise InvalidSpec("subprotocols", names, "is one text: give a list of names")
    for name in names:
        if not _TOKEN.fullmatch(name):
            raise InvalidSpec("subprotocols", name, "is no name of a subprotocol: give one such as 'aip.v1'")
    return list(names)
