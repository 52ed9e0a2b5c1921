"""Where the console's lines come from."""

import os
from typing import Protocol

import trio

from aip_trio.errors import InvalidOption

__all__ = ["Lines", "PipedLines"]

_STDIN = 0

#: Bytes: more than that without a line's end is no line.
_LONGEST = 16 * 1024 * 1024


class Lines(Protocol):
    """Lines, one by one."""

    async def next(self) -> str | None:
        """The next line, without its end; None at the end of all. A checkpoint."""
        ...


class PipedLines:
    """Lines of standard input as they come, without a prompt: from a pipe or a file."""

    def __init__(self, file: int = _STDIN) -> None:
        self._file = file
        self._buffer = bytearray()
        self._ended = False

    async def next(self) -> str | None:
        """The next line, without its end; None at the end of all. A checkpoint.

        Raises InvalidOption for a line without an end, and where nothing can be read.
        """
        await trio.lowlevel.checkpoint()
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0 and not self._ended:
            start = len(self._buffer)
            if start > _LONGEST:
                raise InvalidOption("stdin", "", f"has a line of more than {_LONGEST} bytes: end it")
            # In a thread: a file cannot be waited for, and a pipe that others share must not be made
            # non-blocking. One that still reads when the program ends holds no lock, and is left behind.
            try:
                chunk = await trio.to_thread.run_sync(os.read, self._file, 65536, abandon_on_cancel=True)
            except OSError as error:
                raise InvalidOption("stdin", self._file, f"cannot be read: {error.strerror}") from error
            self._ended = not chunk
            self._buffer += chunk
        if end < 0:
            if not self._buffer:
                return None
            end = len(self._buffer)
        line = self._buffer[:end].decode("utf-8", "replace")
        del self._buffer[: end + 1]
        return line.removesuffix("\r")
