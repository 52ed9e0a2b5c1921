"""As much of a terminal as the console's screen makes use of."""

import re

__all__ = ["Terminal"]

_PIECE = re.compile(r"\x1b(?P<escape>\[[A-Z]|[78D])|(?P<control>[\r\n])|(?P<text>[^\x1b\r\n]+)")


class Terminal:
    """Rows of text and a cursor, as a VT100 has them; what scrolls out at the top is kept."""

    def __init__(self, height: int) -> None:
        self.rows = [""] * height
        self.past: list[str] = []
        self.row = self.column = 0
        self._saved = (0, 0)

    @property
    def everything(self) -> list[str]:
        """All rows that ever were, without the empty ones."""
        return [row for row in (*self.past, *self.rows) if row]

    def write(self, text: str) -> None:
        """What a program writes."""
        position = 0
        for piece in _PIECE.finditer(text):
            assert piece.start() == position, f"unknown: {text[position : piece.start()]!r}"
            position = piece.end()
            if piece["text"]:
                self._put(piece["text"])
            else:
                self._obey(piece["escape"] or piece["control"])
        assert position == len(text)

    def _put(self, text: str) -> None:
        row = self.rows[self.row].ljust(self.column)
        end = self.column + len(text)
        self.rows[self.row] = row[: self.column] + text + row[end:]
        self.column = end

    def _obey(self, sign: str) -> None:
        match sign:
            case "\r":
                self.column = 0
            case "\n":
                self.column = 0
                self._index()
            case "D":
                self._index()
            case "[A":
                self.row = max(self.row - 1, 0)
            case "[B":
                self.row = min(self.row + 1, len(self.rows) - 1)
            case "[L":
                self.rows.insert(self.row, "")
                self.rows.pop()
            case "7":
                self._saved = (self.row, self.column)
            case "8":
                self.row, self.column = self._saved
            case _:
                raise AssertionError(f"unknown: {sign!r}")

    def _index(self) -> None:
        if self.row + 1 < len(self.rows):
            self.row += 1
        else:
            self.past.append(self.rows.pop(0))
            self.rows.append("")
