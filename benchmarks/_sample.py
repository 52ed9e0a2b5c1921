"""One sample in an interpreter of its own: ``python -m benchmarks._sample ROW SUBJECT WORK ACTORS``."""

import json
import sys
from importlib import import_module

from benchmarks._harness import Load, Row


def main(row_name: str, subject_name: str, work: str, actors: str) -> None:
    """Run it, and print what it found as JSON, in the last line. A row is named as its module, and the others
    are not imported: with tiny numbers most of a sample's time is its start.
    """
    row: Row = import_module(f"benchmarks.{row_name}").ROW
    (subject,) = (subject for subject in row.subjects if subject.name == subject_name)
    print(json.dumps(subject.run(Load(int(work), int(actors)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
