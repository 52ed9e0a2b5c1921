"""What the console does: it reads lines, sends what they ask for, and shows what happens meanwhile."""

from collections.abc import Iterator, Mapping

import attrs

from aip_trio.cli._errors import CannotBegin, OutcomeUnknown
from aip_trio.cli._failures import describe
from aip_trio.cli.rpc._completion import Completion
from aip_trio.cli.rpc._errand import Errand
from aip_trio.cli.rpc._line import Word, read_line
from aip_trio.cli.rpc._lines import Lines
from aip_trio.cli.rpc._reach import COMMANDS, Reach
from aip_trio.cli.rpc._screen import Screen
from aip_trio.errors import EncodeError, InvalidOption

__all__ = ["Conversation"]

_HELP = (
    "COMMAND [CUSTOM] [JSON|@FILE]   send a command: its name, enough of it, or a number; CUSTOM says which",
    "                                of the commands that are USER_DEFINED it is",
    "help, quit                      or ? and exit; so does the end of the input",
    "commands:",
)


@attrs.define
class Conversation:
    """One user, or one script, with one service. ``failures``: how many lines were not done."""

    reach: Reach
    screen: Screen
    lines: Lines
    completion: Completion
    failures: int = 0

    async def run(self) -> None:
        """Until the input ends, or says so. A checkpoint."""
        while (line := await self.lines.next()) is not None:
            try:
                asked = read_line(line, COMMANDS)
                if asked is Word.QUIT:
                    return
                if asked is Word.HELP:
                    self.screen.show({"type": "help", "commands": dict(COMMANDS)}, list(_help(COMMANDS)))
                elif isinstance(asked, Errand):
                    await self._perform(asked)
            except (InvalidOption, EncodeError, CannotBegin, OutcomeUnknown) as error:
                self._complain(describe(error))

    async def _perform(self, errand: Errand) -> None:
        answer = await self.reach.perform(errand)
        self.failures += not answer.good
        self.completion.learn([errand.data, answer.reply.data])
        self.screen.show({"type": "reply", **answer.data()}, list(answer.lines()))

    def _complain(self, reason: str) -> None:
        self.failures += 1
        self.screen.show({"type": "error", "error": reason}, [f"error: {reason}"])


def _help(commands: Mapping[str, int]) -> Iterator[str]:
    yield from _HELP
    yield from (f"  {number:>6}  {name}" for name, number in commands.items())
