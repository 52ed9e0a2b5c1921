"""Who shows how far it is."""

import attrs
import trio
from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from aip_trio.actors import Actor, Crashed, Event, Restarted, handles
from aip_trio.cli._failures import leaves
from aip_trio.cli._output import Output, View
from aip_trio.cli._text import plain_size, printable
from aip_trio.cli.demo._messages import Tally

__all__ = ["Reporter"]

#: Seconds between two pictures, and between two lines.
_PICTURE = 0.1
_LINE = 1.0


@attrs.frozen
class Refresh:
    """Show how far it is now."""


class Reporter(Actor):
    """Draws progress and the live tree, or writes lines: the progress each second, each crash and restart."""

    def __init__(self, output: Output, view: View, expected: int) -> None:
        self._output = output
        self._view = view
        self._expected = expected
        self._tally = Tally(0, 0)

    async def started(self) -> None:
        """Begin to show."""
        await trio.lowlevel.checkpoint()
        self.every(_PICTURE if self._view.visible else _LINE, Refresh())
        if not self._view.visible:
            self.nursery.start_soon(self._tell_crashes)

    @handles
    async def tally(self, message: Tally) -> None:
        """Remember how far it is; a later word from an earlier moment is none. The first is shown at once."""
        await trio.lowlevel.checkpoint()
        if self._view.visible and not self._tally.files:
            self._view.show(self._picture())
        if message.files >= self._tally.files:
            self._tally = message

    @handles
    async def refresh(self, message: Refresh) -> None:
        """Show it."""
        await trio.lowlevel.checkpoint()
        if self._view.visible:
            self._view.show(self._picture())
        else:
            self._output.line(self._progress())

    def _progress(self) -> str:
        files, size = self._tally.files, plain_size(self._tally.bytes)
        return f"{files:,} of about {self._expected:,} files, {size}"

    def _picture(self) -> Group:
        numbers = self.system.statistics()
        line = Table.grid(padding=(0, 1))
        line.add_row(
            ProgressBar(total=max(self._expected, 1), completed=self._tally.files, width=30),
            f"{self._progress()}, {numbers.crashes} crashes, {numbers.restarts} restarts",
        )
        return Group(line, Text(printable_lines(str(self.system.tree())), no_wrap=True, overflow="ellipsis"))

    async def _tell_crashes(self) -> None:
        with self.system.events.subscribe() as events:
            async for event in events:
                line = _line(event)
                if line:
                    self._output.line(line)


def printable_lines(text: str) -> str:
    """Each line of the text, printable."""
    return "\n".join(printable(line) for line in text.splitlines())


def _line(event: Event) -> str:
    match event:
        case Crashed(path, _, error):
            return f"crashed    {path}: {'; '.join(str(leaf) for leaf in leaves(error))}"
        case Restarted(path, _, restarts):
            return f"restarted  {path} ({restarts})"
        case _:
            return ""
