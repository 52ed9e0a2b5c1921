"""What is known of a part of a file that is to be resumed."""

from __future__ import annotations

import re

import msgspec

from aip_trio.protocol.transfer._outline import Outline

__all__ = ["LINE", "Journal"]

_CHECKSUM = re.compile(rb"[0-9a-f]{32}")

#: Bytes that each chunk adds.
LINE = 33


class Journal:
    """The text beside a part: which transfer it is of, and the checksum of all before each chunk's end. Pure.

    A line for each chunk, written after the chunk itself: whatever a crash leaves of it, what does not match
    the part does not count.
    """

    def __init__(self, transfer_id: str, outline: Outline) -> None:
        facts = [transfer_id, outline.filename, outline.size, outline.chunk_size]
        self.header = msgspec.json.encode(facts) + b"\n"

    def line(self, checksum: str) -> bytes:
        """What is added for one more chunk."""
        return checksum.encode() + b"\n"

    def checksums(self, text: bytes) -> list[str]:
        """Of the chunks, as a journal has them, to its first fault; none where it is another transfer's."""
        if not text.startswith(self.header):
            return []
        found: list[str] = []
        for line in text[len(self.header) :].split(b"\n"):
            if not _CHECKSUM.fullmatch(line):
                break
            found.append(line.decode())
        return found
