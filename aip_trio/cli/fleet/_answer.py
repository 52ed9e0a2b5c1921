"""What came of a task, for people and for programs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import attrs
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aip_trio.cli._outline import cut, outline
from aip_trio.cli._text import printable

__all__ = ["Answer"]

#: Lines of one result on a terminal.
_LINES = 20


@attrs.frozen(kw_only=True)
class Answer:
    """A task's end. ``result``: one of each command, as the built-in task returns them, or anything."""

    task_id: str
    device: str
    completed: bool
    error: str | None
    result: Any
    log: tuple[str, ...]
    seconds: float

    @property
    def results(self) -> list[dict[str, Any]] | None:
        """The commands' results; None where the server's task returns something of its own."""
        found = self._found
        return found if found is not None and all(map(_is_result, found)) else None

    @property
    def _found(self) -> list[dict[str, Any]] | None:
        found: object = self.result
        if found is None:
            return []
        return cast("list[dict[str, Any]]", found) if isinstance(found, list) else None

    def data(self) -> dict[str, object]:
        """For ``--json``; times in seconds."""
        results = self.results
        return {
            "task_id": self.task_id,
            "device": self.device,
            "status": self._status,
            "error": self.error,
            "results": [] if results is None else results,
            "result": self.result if results is None else None,
            "log": list(self.log),
            "seconds": round(self.seconds, 3),
        }

    def lines(self) -> Iterator[str]:
        """For a file or a pipe: nothing is left out."""
        for row in self._rows():
            yield "  ".join(row[:3])
            yield from (f"    {line}" for line in row[3:])
        yield from self._said()
        yield self._verdict()

    def picture(self) -> RenderableType:
        """For a terminal."""
        table = Table("", "tool", "status", "result")
        for number, tool, status, *found in self._rows():
            style = "" if status == "success" else "red"
            shown = "\n".join(cut(iter(found), _LINES))
            table.add_row(number, Text(tool), Text(status, style), Text(shown, style))
        verdict = Text(self._verdict(), "bold green" if self.completed else "bold red")
        return Group(table, verdict) if table.row_count else Group(*map(Text, self._said()), verdict)

    def _said(self) -> list[str]:
        """Of a task that failed without results: how far it came, since what was done is done."""
        return [] if self.completed or self.result is not None else [printable(line) for line in self.log]

    @property
    def _status(self) -> str:
        return "completed" if self.completed else "failed"

    def _rows(self) -> Iterable[tuple[str, ...]]:
        """Number, tool, status, and what came of it in lines."""
        results = self.results
        if results is None:
            yield "1", "task", self._status, *outline(self.result)
            return
        for number, each in enumerate(results, 1):
            yield (
                str(number),
                printable(str(each["tool_name"])),
                printable(str(each["status"])),
                *_found(each),
            )

    def _verdict(self) -> str:
        told = f"{self._status} on {self.device} in {self.seconds:.2f} s"
        return told if self.error is None else f"{told}: {printable(self.error)}"


def _found(result: Mapping[str, Any]) -> Iterator[str]:
    """Why it failed, where it did, and what there is of a result."""
    if result.get("error") is not None:
        yield from outline(result["error"])
        if result.get("result") is None:
            return
    yield from outline(result.get("result"))


def _is_result(value: object) -> bool:
    return isinstance(value, Mapping) and {"tool_name", "status"} <= value.keys()
