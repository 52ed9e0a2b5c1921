"""A terminal whose last line is being typed, while things happen that have to be shown."""

import io
import shutil
from collections.abc import Mapping, Sequence

from rich.cells import chop_cells

from aip_trio.cli._output import Output
from aip_trio.cli._text import printable

__all__ = ["Screen", "ScreenStream", "above"]

#: The line editor's line is one row: it scrolls sideways. So the cursor is in that row, and a line put in
#: there pushes it down by one; index first, so that there is a row below it at the end of the screen, too.
_MAKE_ROOM, _UP, _DOWN = "\x1bD", "\x1b[A", "\x1b[B"
_SAVE, _RESTORE, _INSERT = "\x1b7", "\x1b8", "\r\x1b[L"


def above(lines: Sequence[str], width: int) -> str:
    """What shows these lines above the cursor's row, and leaves that row, and the cursor in it, as they are.

    The editor need not be told: what it believes of its row stays true. ``lines`` are printable text; one
    that is wider than the terminal takes several rows.
    """
    rows = [row for line in lines for row in chop_cells(line, max(width, 2)) or [""]]
    return "".join(f"{_MAKE_ROOM}{_UP}{_SAVE}{_INSERT}{row}{_RESTORE}{_DOWN}" for row in rows)


class Screen:
    """The lines of a program that has a line editor, at times, at the bottom of the terminal.

    ``editing``: whether it has one just now; whoever starts and ends the editor says so.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self.editing = False

    def show(self, data: Mapping[str, object], lines: Sequence[str]) -> None:
        """Show printable lines, above what is being typed; with ``--json``, which has no editor, the data."""
        if self.editing:
            self._output.write(above(lines, shutil.get_terminal_size().columns))
        else:
            self._output.item(data, "\n".join(lines))


class ScreenStream(io.TextIOBase):
    """A stream whose lines are shown on a screen, such as those of the log."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._begun = ""

    def write(self, text: str) -> int:
        """Show the lines that are whole."""
        *lines, self._begun = (self._begun + text).split("\n")
        if lines:
            self._screen.show({}, [printable(line) for line in lines])
        return len(text)
