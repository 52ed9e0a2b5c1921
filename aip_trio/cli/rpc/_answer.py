"""What a service has answered, for people and for programs."""

from collections.abc import Iterator

import attrs
from rich.console import Group, RenderableType
from rich.text import Text

from aip_trio.cli._outline import outline
from aip_trio.cli._text import printable
from aip_trio.cli.rpc._names import label
from aip_trio.rpc import ApiCommandRequestErrorKind, ApiCommandRequestResult, Reply

__all__ = ["Answer", "reply_head"]

_GOOD = frozenset((
    ApiCommandRequestResult.SUCCESS,
    ApiCommandRequestResult.PENDING,
    ApiCommandRequestResult.PENDING_WITH_NOTIFICATION,
))  # fmt: skip


def reply_head(reply: Reply) -> str:
    """Result and command, and what went wrong, on one line."""
    told = f"{label(reply.result)}  {label(reply.command)}"
    if reply.error_kind != ApiCommandRequestErrorKind.NONE or reply.error_code:
        told = f"{told}  {label(reply.error_kind)} {reply.error_code}"
    return f"{told}: {printable(reply.error_message)}" if reply.error_message else told


@attrs.frozen
class Answer:
    """A reply, and how many seconds it took."""

    reply: Reply
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the command was done, or is being done."""
        return self.reply.result in _GOOD

    def data(self) -> dict[str, object]:
        """For ``--json``: what is on the wire, with a name for each number that has one."""
        reply = self.reply
        return {
            "command": label(reply.command),
            "nonce": reply.nonce,
            "result": label(reply.result),
            "data": reply.data,
            "error_kind": label(reply.error_kind),
            "error_code": reply.error_code,
            "error_message": reply.error_message,
            "seconds": round(self.seconds, 6),
        }

    def lines(self) -> Iterator[str]:
        """For a file or a pipe: the data are further to the right."""
        yield f"{reply_head(self.reply)}  ({self.seconds * 1000:.1f} ms)"
        if self.reply.data is not None:
            yield from (f"    {line}" for line in outline(self.reply.data))

    def picture(self) -> RenderableType:
        """For a terminal."""
        head, *rest = self.lines()
        return Group(Text(head, "bold green" if self.good else "bold red"), *map(Text, rest))
