"""``python -m benchmarks [--only ROW] [--quick] [--json FILE]``: the table, and the JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import attrs

from benchmarks._harness import Row, Samples, take
from benchmarks._rows import ROWS
from benchmarks._table import table

RESULTS = Path(__file__).parent / "results"

VERSIONS = (
    "aip-trio",
    "trio",
    "trio-websocket",
    "websockets",
    "pyzmq",
    "pydantic",
    "pykka",
    "triotp",
    "auto-trainer-api",
)


def main() -> None:
    """Take the samples and show them. Whatever they are, the exit status is 0."""
    options = _parse()
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    taken: list[Samples] = []
    for samples in _quickly(rows) if options.quick else (take(row, _say) for row in rows):
        taken.append(samples)
        print(table(samples), flush=True)
    _write(options.json or _default_file(), taken, quick=options.quick)


def _quickly(rows: Iterable[Row]) -> Generator[Samples]:
    """Nobody reads these figures: as many rows at a time as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(_glance, rows)


def _glance(row: Row) -> Samples:
    return take(row.reduced(), _say)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", metavar="ROW", choices=[row.name for row in ROWS])
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: benchmarks/results/DATE.json")
    parser.add_argument("--quick", action="store_true", help="tiny numbers: only to see that it runs")
    return parser.parse_args()


def _say(text: str) -> None:
    """What is being measured, for somebody who waits."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}\r", end="", file=sys.stderr, flush=True)


def _default_file() -> Path:
    return RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.json"


def _write(file: Path, taken: list[Samples], *, quick: bool) -> None:
    document = {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {name: _version(name) for name in VERSIONS},
        "quick": quick,
        "results": [attrs.asdict(result) for samples in taken for result in samples.results()],
        "growth": [point for samples in taken for point in samples.growth()],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
