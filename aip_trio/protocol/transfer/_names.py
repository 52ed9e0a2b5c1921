"""A name for a file that somebody else has named."""

import os
import re
import unicodedata

from aip_trio.errors import UnsafeFilename

__all__ = ["LONGEST_NAME", "safe_name"]

#: Bytes of UTF-8. File systems have 255, and what is beside a file while it comes has a longer name.
LONGEST_NAME = 200

#: Names of devices on Windows, whatever follows the first dot; a folder may be seen from there.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def safe_name(announced: str, *, windows: bool = os.name == "nt") -> str:
    """The name of a file in some folder, made of the one that a peer gave; it leads nowhere else.

    Of a path, with either separator, the last name counts. What cannot be printed, dots in front and dots and
    spaces behind are left out, a name too long is cut before its last suffix. A device's name gets an
    underscore in front, and so, on Windows, does each character that is none of a name become one.

    Raises UnsafeFilename where nothing is left of it.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", announced))[-1]
    name = "".join(character for character in name if character.isprintable())
    if windows:
        name = re.sub(r'[<>:"|?*]', "_", name)
    name = name.lstrip(". ").rstrip(". ")
    if not name:
        raise UnsafeFilename(announced)
    if _RESERVED.fullmatch(name.partition(".")[0].rstrip()):
        name = f"_{name}"
    return _cut(name)


def _cut(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME:
        return name
    stem, suffix = os.path.splitext(name)
    if len(suffix.encode()) > LONGEST_NAME // 2:
        stem, suffix = name, ""
    room = LONGEST_NAME - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + suffix
