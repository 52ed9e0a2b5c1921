"""A line editor on a terminal."""

import contextlib
import os
import readline
import sys
import termios
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import trio

from aip_trio.cli.rpc._completion import DELIMITERS, Completion
from aip_trio.cli.rpc._history import MOST_LINES
from aip_trio.cli.rpc._lines import Lines
from aip_trio.cli.rpc._screen import Screen, ScreenStream

__all__ = ["open_editor"]

_STDIN = 0
_PROMPT = "rpc> "

#: The editor's row scrolls sideways: `Screen` relies on its being one row.
_SETTINGS = ("set horizontal-scroll-mode on", "set show-all-if-ambiguous on", "tab: complete")

#: Some editors have the terminal mark what is pasted; one that was left in the middle does not undo it.
_NO_MARKS = "\x1b[?2004l"


class _Editor:
    """Python's readline, in a thread: it cannot be had without.

    ``unfinished``: the cursor is in a row that nobody has ended.
    """

    def __init__(self, screen: Screen, history: Path | None) -> None:
        self._screen = screen
        self._history = history
        self._last = ""
        self.unfinished = False
        self._turn = trio.CapacityLimiter(1)

    async def next(self) -> str | None:
        """The next line, without its end; None at the end of all. A checkpoint."""
        await trio.lowlevel.checkpoint()
        self._screen.editing = self.unfinished = True
        try:
            line = await trio.to_thread.run_sync(
                input, _PROMPT, abandon_on_cancel=True, limiter=self._turn, thread_name="line editor"
            )
        except EOFError:
            return None
        finally:
            self._screen.editing = False
        self.unfinished = False
        self._remember(line)
        return line

    def _remember(self, line: str) -> None:
        """Not what is empty, was just said, or begins with a space, as shells have it: it may be a secret."""
        if not line.strip() or line == self._last or line.startswith(" "):
            return
        self._last = line
        readline.add_history(line)
        if self._history is not None:
            with contextlib.suppress(OSError):  # it was writable at the start; a line is not worth more words
                readline.append_history_file(1, self._history)


@contextmanager
def open_editor(screen: Screen, completion: Completion, history: Path | None) -> Generator[Lines]:
    """A line editor with completion and history, on a terminal, which it leaves as it was.

    What is written to stderr meanwhile, such as the log, is shown on the screen.
    """
    before = termios.tcgetattr(_STDIN)
    completer = readline.get_completer(), readline.get_completer_delims()
    readline.set_completer(_completer(completion))
    readline.set_completer_delims(DELIMITERS)
    readline.set_auto_history(False)
    for setting in _SETTINGS:
        readline.parse_and_bind(setting)
    readline.set_history_length(MOST_LINES)
    if history is not None:
        with contextlib.suppress(OSError):
            readline.read_history_file(history)
            readline.write_history_file(history)  # the latest lines alone
    editor = _Editor(screen, history)
    try:
        with contextlib.redirect_stderr(ScreenStream(screen)):
            yield editor
    finally:
        readline.set_completer(completer[0])
        readline.set_completer_delims(completer[1])
        # A thread may still be in the editor, which then undoes nothing.
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)
        end = "\n" if editor.unfinished else ""
        os.write(sys.stdout.fileno(), f"{_NO_MARKS}{end}".encode())


def _completer(completion: Completion) -> Callable[[str, int], str | None]:
    """As readline calls it: again and again with the same text, for one candidate after the other."""
    found: Sequence[str] = ()

    def complete(text: str, state: int) -> str | None:
        nonlocal found
        if state == 0:
            found = completion.candidates(readline.get_line_buffer()[: readline.get_begidx()], text)
        return found[state] if state < len(found) else None

    return complete
