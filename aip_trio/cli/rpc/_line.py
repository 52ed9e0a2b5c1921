"""A line of the console, as it is typed."""

import re
from collections.abc import Mapping
from enum import Enum

from aip_trio.cli.rpc._data import read_data
from aip_trio.cli.rpc._errand import Errand
from aip_trio.cli.rpc._names import find
from aip_trio.errors import InvalidOption

__all__ = ["WORDS", "Word", "read_line"]

_LINE = re.compile(
    r"(?P<name>[^\s{\[\"@]+)\s*(?:(?P<custom>-?[0-9]{1,19})(?=\s|$))?\s*(?P<data>.*)", re.DOTALL
)


class Word(Enum):
    """What the console itself does."""

    HELP = "help"
    QUIT = "quit"


#: What people type for it.
WORDS: Mapping[str, Word] = {"help": Word.HELP, "?": Word.HELP, "quit": Word.QUIT, "exit": Word.QUIT}


def read_line(text: str, commands: Mapping[str, int]) -> Errand | Word | None:
    """What a line asks for: ``COMMAND [CUSTOM] [JSON|@FILE]``, or a word of the console; None: nothing.

    ``commands``: the number of each name. Raises InvalidOption.
    """
    text = text.strip()
    if not text or text.startswith("#"):
        return None
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    parts = _LINE.fullmatch(text)
    if parts is None:
        raise InvalidOption("line", text, "begins with no command: write COMMAND [CUSTOM] [JSON]; see help")
    if parts["data"] == "-":
        raise InvalidOption("data", "-", "cannot be read here, where lines are: write the JSON, or @file")
    command = find("command", parts["name"], commands)
    data = read_data(parts["data"]) if parts["data"] else None
    return Errand(command, int(parts["custom"] or -1), data)
