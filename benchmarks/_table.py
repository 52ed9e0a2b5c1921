"""Results as a table of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks._harness import Result, Samples, Target

__all__ = ["table"]

_HEAD = ("", "value", "", "beside", "its value", "ratio", "target", "met")
_NONE = "–"


def table(samples: Samples) -> str:
    """One row's figures, and its curves where it has some."""
    row = samples.row
    parts = [f"{row.title}\n{'=' * len(row.title)}"]
    parts += [_curve(samples, measure, unit) for measure, unit in row.curves]
    parts.append(_columns([_HEAD, *map(_line, samples.results())]))
    return "\n\n".join(parts) + "\n"


def _line(result: Result) -> tuple[str, ...]:
    return (
        result.what,
        _number(result.value),
        result.unit,
        result.peer or "",
        "" if result.peer is None else result.peer_missing or _number(result.peer_value),
        "" if result.peer is None else _ratio(result.ratio),
        "" if result.target is None else _target(result.target, result.unit),
        "" if result.target is None else {True: "yes", False: "NO", None: "?"}[result.met],
    )


def _curve(samples: Samples, measure: str, title: str) -> str:
    """One measure of each subject over the numbers of actors."""
    sizes = samples.row.sizes
    lines = [(title, *(f"{size:,}" for size in sizes))]
    for subject in samples.row.subjects:
        values = [samples.median(subject.name, size, measure) for size in sizes]
        if any(value is not None for value in values):
            lines.append((f"  {subject.name}", *map(_number, values)))
        elif subject.name in samples.missing:
            lines.append((f"  {subject.name}", *([samples.missing[subject.name]] * len(sizes))))
    return _columns(lines)


def _columns(lines: Iterable[Sequence[str]]) -> str:
    """Lines of equal columns: text to the left, numbers, below the head, to the right."""
    columns = [_column(column) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _column(cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells))
    numbers = all(cell in ("", _NONE) or cell[0].isdigit() for cell in cells[1:])
    return [cell.rjust(width) if numbers else cell.ljust(width) for cell in cells]


def _number(value: float | None) -> str:
    """Three digits that count, and thousands."""
    if value is None:
        return _NONE
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def _ratio(ratio: float | None) -> str:
    return _NONE if ratio is None else f"{ratio:.2f} ×"


def _target(target: Target, unit: str) -> str:
    sign = "≤" if target.at_most else "≥"
    return f"{sign} {_bound(target.bound)} {'×' if target.ratio else unit}"


def _bound(bound: float) -> str:
    return f"{bound:,.0f}" if bound >= 1_000 else f"{bound:g}"
