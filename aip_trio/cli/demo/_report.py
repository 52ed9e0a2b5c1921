"""The outcome, for people and for programs."""

from collections.abc import Iterator

import attrs
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aip_trio.cli._text import plain_size, printable
from aip_trio.cli.demo._comparison import Comparison
from aip_trio.cli.demo._inventory import Summary
from aip_trio.cli.demo._run import Outcome
from aip_trio.cli.demo._scope import Scope
from aip_trio.cli.demo._strike import Aim

__all__ = ["Report", "RunReport"]

_TYPES = 8
_NAMES = 10

Rows = list[tuple[str, ...]]


@attrs.frozen
class RunReport:
    """One run, and whether it came to what plain code came to."""

    what: Aim
    outcome: Outcome
    comparison: Comparison

    @property
    def good(self) -> bool:
        """Whether every task has its outcome, and the result is right."""
        return self.outcome.asked == self.outcome.done and self.comparison.equal

    def data(self) -> dict[str, object]:
        """For ``--json``."""
        outcome = self.outcome
        recovery = None if outcome.recovery is None else round(outcome.recovery, 3)
        return {
            "run": self.what.value,
            "asked": outcome.asked,
            "done": outcome.done,
            "done_by": outcome.done_by,
            "retried": outcome.retried,
            "killed": outcome.killed,
            "recovery": recovery,
            "seconds": round(outcome.time, 3),
            "load": {device: attrs.asdict(load) for device, load in outcome.loads.items()},
            "equal": self.comparison.equal,
            "differences": [attrs.asdict(difference) for difference in self.comparison.differences],
        }

    def row(self) -> tuple[str, ...]:
        """For the table of runs."""
        outcome = self.outcome
        return (
            self.what.value,
            f"{outcome.asked:,}",
            f"{outcome.done:,}",
            f"{outcome.retried:,}",
            outcome.killed or "-",
            "-" if outcome.recovery is None else f"{outcome.recovery:.2f} s",
            f"{outcome.time:.2f} s",
            "yes" if self.comparison.equal else "NO",
        )


_HEAD = ("run", "asked", "done", "retried", "killed", "recovery", "time", "equal")


@attrs.frozen(kw_only=True)
class Report:
    """All that the demo has to say at its end; times in seconds."""

    root: str
    seed: int
    scope: Scope
    runs: tuple[RunReport, ...]
    start_time: float
    plain_time: float
    time: float

    @property
    def good(self) -> bool:
        """Whether every task of every run has its one outcome, and all results are right."""
        return all(run.good for run in self.runs)

    @property
    def _summary(self) -> Summary:
        """The inventory, as the first run took it."""
        return self.runs[0].comparison.fleet

    @property
    def _unreadable(self) -> list[tuple[str, str]]:
        return sorted(self.runs[0].outcome.inventory.unreadable.items())

    @property
    def _changed(self) -> list[str]:
        return sorted({path for run in self.runs for path in run.comparison.changed})

    def data(self) -> dict[str, object]:
        """For ``--json``: sizes in bytes, times in seconds, all paths relative to the root."""
        summary = self._summary
        return {
            "root": self.root,
            "seed": self.seed,
            "equal": self.good,
            "files": summary.files,
            "bytes": summary.bytes,
            "hashed": summary.hashed,
            "types": [attrs.asdict(total) for total in summary.types],
            "duplicates": attrs.asdict(summary.duplicates),
            "limits": list(self.scope.limits()),
            "unreadable": [{"path": path or ".", "error": error} for path, error in self._unreadable],
            "changed_meanwhile": self._changed,
            "runs": [run.data() for run in self.runs],
            "seconds": {
                "start": round(self.start_time, 3),
                "plain": round(self.plain_time, 3),
                "all": round(self.time, 3),
            },
        }

    def lines(self) -> Iterator[str]:
        """For a file or a pipe."""
        for title, rows in self._sections():
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            yield title
            for row in rows:
                cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                yield "  " + "  ".join(cells).rstrip()
        yield self._verdict()

    def picture(self) -> RenderableType:
        """For a terminal."""
        *tables, (title, (head, *runs)) = self._sections()
        verdict = Text(self._verdict(), "bold green" if self.good else "bold red")
        return Group(*(_table(*table) for table in tables), _table(title, runs, head), verdict)

    def _sections(self) -> Iterator[tuple[str, Rows]]:
        yield "by type", self._types()
        if self._unreadable:
            yield (
                "unreadable",
                _cut([(printable(path) or ".", printable(why)) for path, why in self._unreadable]),
            )
        if self._changed:
            yield "changed meanwhile, left out", _cut([(printable(path),) for path in self._changed])
        for run in self.runs:
            if not run.comparison.equal:
                yield f"NOT EQUAL: {run.what.value}", _differences(run.comparison)
        yield "machine load", self._loads()
        yield f"inventory of {printable(self.root)}", self._figures()
        yield "the fleet's tasks", [_HEAD, *(run.row() for run in self.runs)]

    def _verdict(self) -> str:
        if self.good:
            return "every task has its one outcome, and every result equals that of plain code"
        bad = ", ".join(run.what.value for run in self.runs if not run.good)
        return f"NOT as plain code says: {bad}"

    def _figures(self) -> Rows:
        summary = self._summary
        duplicates = summary.duplicates
        rows = [
            ("files", f"{summary.files:,}, {summary.hashed:,} of them hashed"),
            ("bytes", f"{summary.bytes:,} ({plain_size(summary.bytes)})"),
            ("duplicates", f"{duplicates.sets:,} sets of {duplicates.files:,} files"),
            ("wasted by them", plain_size(duplicates.wasted)),
            ("unreadable", f"{len(self._unreadable):,}"),
            ("changed meanwhile", f"{len(self._changed):,}"),
            ("start of the fleet", f"{self.start_time:.2f} s"),
            ("time", f"{self.time:.2f} s, {self.plain_time:.2f} s of it for plain code"),
        ]
        return [*rows, *(("limit", limit) for limit in self.scope.limits())]

    def _types(self) -> Rows:
        totals = self._summary.types
        rows: Rows = [
            (printable(total.extension) or "(none)", f"{total.files:,} files", plain_size(total.bytes))
            for total in totals[:_TYPES]
        ]
        rest = totals[_TYPES:]
        if rest:
            files, size = sum(total.files for total in rest), sum(total.bytes for total in rest)
            rows.append((f"{len(rest)} others", f"{files:,} files", plain_size(size)))
        return rows or [("(nothing)", "0 files", "0 B")]

    def _loads(self) -> Rows:
        """As each device said last."""
        return [
            (device, f"{load.cpu:.0f} % of the processors", f"{load.memory:.0f} % of the memory")
            for device, load in sorted(self.runs[-1].outcome.loads.items())
        ]


def _differences(comparison: Comparison) -> Rows:
    rows: Rows = [
        (printable(each.path), f"fleet: {each.fleet}", f"plain: {each.plain}")
        for each in comparison.differences
    ]
    return _cut(rows) or [("the totals", str(comparison.fleet), str(comparison.plain))]


def _cut(rows: Rows) -> Rows:
    """The first of them, and how many more there are."""
    if len(rows) <= _NAMES:
        return rows
    blank = ("",) * (len(rows[0]) - 1)
    return [*rows[:_NAMES], (f"… and {len(rows) - _NAMES:,} more", *blank)]


def _table(title: str, rows: Rows, head: tuple[str, ...] = ()) -> Table:
    table = Table(*head, title=Text(title, "bold"), title_justify="left", show_header=bool(head))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
