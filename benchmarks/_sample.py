"""One sample in an interpreter of its own: ``python -m benchmarks._sample ROW SUBJECT WORK ACTORS``."""

import json
import sys

from benchmarks._harness import Load
from benchmarks._rows import ROWS


def main(row_name: str, subject_name: str, work: str, actors: str) -> None:
    """Run it, and print what it found as JSON, in the last line."""
    (row,) = (row for row in ROWS if row.name == row_name)
    (subject,) = (subject for subject in row.subjects if subject.name == subject_name)
    print(json.dumps(subject.run(Load(int(work), int(actors)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
