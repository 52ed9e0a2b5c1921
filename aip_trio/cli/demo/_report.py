"""The outcome, for people and for programs."""

from collections.abc import Iterator

import attrs
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aip_trio.actors import Statistics
from aip_trio.cli._text import plain_size, printable
from aip_trio.cli.demo._comparison import Comparison
from aip_trio.cli.demo._saboteur import Hits

__all__ = ["Report"]

_TYPES = 8
_NAMES = 10

Rows = list[tuple[str, ...]]


@attrs.frozen
class Report:
    """All that the demo has to say at its end; times in seconds."""

    root: str
    seed: int
    workers: int
    comparison: Comparison
    unreadable: tuple[tuple[str, str], ...]
    hits: Hits
    statistics: Statistics
    actors_time: float
    plain_time: float

    @property
    def equal(self) -> bool:
        """Whether actors and plain code came to the same."""
        return self.comparison.equal

    def data(self) -> dict[str, object]:
        """For ``--json``: sizes in bytes, times in seconds, all paths relative to the root."""
        summary, numbers = self.comparison.actors, self.statistics
        return {
            "root": self.root,
            "seed": self.seed,
            "workers": self.workers,
            "equal": self.equal,
            "files": summary.files,
            "bytes": summary.bytes,
            "types": [attrs.asdict(total) for total in summary.types],
            "duplicates": attrs.asdict(summary.duplicates),
            "unreadable": [{"path": path, "error": error} for path, error in self.unreadable],
            "changed_meanwhile": list(self.comparison.changed),
            "differences": [attrs.asdict(difference) for difference in self.comparison.differences],
            "crashes": numbers.crashes,
            "planned_crashes": attrs.asdict(self.hits),
            "restarts": numbers.restarts,
            "handled": numbers.handled,
            "dead_letters": {reason.value: count for reason, count in numbers.dead_letters.items()},
            "seconds": {"actors": round(self.actors_time, 3), "plain": round(self.plain_time, 3)},
        }

    def lines(self) -> Iterator[str]:
        """For a file or a pipe."""
        for title, rows in self._sections():
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            yield title
            for row in rows:
                first, *others = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                yield "  " + "  ".join((first, *others)).rstrip()

    def picture(self) -> RenderableType:
        """For a terminal."""
        *tables, last = (_table(title, rows) for title, rows in self._sections())
        last.rows[-1].style = "bold green" if self.equal else "bold red"
        return Group(*tables, last)

    def _sections(self) -> Iterator[tuple[str, Rows]]:
        yield "by type", self._types()
        if self.unreadable:
            yield "unreadable", _cut([(printable(path), error) for path, error in self.unreadable])
        if self.comparison.changed:
            yield "changed meanwhile, left out", _cut([(printable(p),) for p in self.comparison.changed])
        if not self.equal:
            yield "NOT EQUAL", self._differences()
        yield f"inventory of {printable(self.root)}", self._figures()

    def _figures(self) -> Rows:
        summary, numbers = self.comparison.actors, self.statistics
        planned = f"{self.hits.workers} of workers and {self.hits.collectors} of the collector planned"
        dead = ", ".join(f"{count} {reason.value}" for reason, count in numbers.dead_letters.items())
        duplicates = summary.duplicates
        return [
            ("files", f"{summary.files:,}"),
            ("bytes", f"{summary.bytes:,} ({plain_size(summary.bytes)})"),
            ("duplicates", f"{duplicates.sets:,} sets of {duplicates.files:,} files"),
            ("wasted by them", plain_size(duplicates.wasted)),
            ("unreadable", f"{len(self.unreadable):,}"),
            ("changed meanwhile", f"{len(self.comparison.changed):,}"),
            ("crashes", f"{numbers.crashes} ({planned}, seed {self.seed})"),
            ("restarts", f"{numbers.restarts}"),
            ("messages handled", f"{numbers.handled:,}"),
            ("dead letters", f"{numbers.dead} ({dead})" if dead else "0"),
            (
                "time",
                f"{self.actors_time:.2f} s by {self.workers} workers, {self.plain_time:.2f} s by plain code",
            ),
            ("equal", "yes" if self.equal else "NO"),
        ]

    def _types(self) -> Rows:
        totals = self.comparison.actors.types
        rows: Rows = [
            (printable(total.extension) or "(none)", f"{total.files:,} files", plain_size(total.bytes))
            for total in totals[:_TYPES]
        ]
        rest = totals[_TYPES:]
        if rest:
            files, size = sum(total.files for total in rest), sum(total.bytes for total in rest)
            rows.append((f"{len(rest)} others", f"{files:,} files", plain_size(size)))
        return rows or [("(nothing)", "0 files", "0 B")]

    def _differences(self) -> Rows:
        rows: Rows = [
            (printable(each.path), f"actors: {each.actors}", f"plain: {each.plain}")
            for each in self.comparison.differences
        ]
        return _cut(rows) or [("the totals", str(self.comparison.actors), str(self.comparison.plain))]


def _cut(rows: Rows) -> Rows:
    """The first of them, and how many more there are."""
    if len(rows) <= _NAMES:
        return rows
    blank = ("",) * (len(rows[0]) - 1)
    return [*rows[:_NAMES], (f"… and {len(rows) - _NAMES:,} more", *blank)]


def _table(title: str, rows: Rows) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", show_header=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
