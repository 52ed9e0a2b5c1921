"""Takes samples, each in a fresh interpreter, by turns; and judges figures by their targets."""

from __future__ import annotations

import gc
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import psutil

__all__ = [
    "OURS",
    "Figure",
    "Load",
    "Measures",
    "Result",
    "Row",
    "Samples",
    "Subject",
    "Target",
    "resident",
    "take",
    "timed",
]

ROOT = Path(__file__).parent.parent

OURS = "aip_trio"

#: Seconds for one sample, after which it counts as failed.
PATIENCE = 600.0

#: What one sample found: the name of a measure, and its value.
Measures: TypeAlias = dict[str, float]


@attrs.frozen
class Load:
    """How much a sample is to do: messages, round trips or crashes altogether, over so many actors."""

    work: int
    actors: int = 1


@attrs.frozen
class Subject:
    """What is measured: us, or a peer. ``run`` is called in an interpreter of its own.

    ``needs``: the modules without which it is not installed. ``share``: its part of the row's work, less
    for the slow. ``up_to``: the most actors that it is asked for.
    """

    name: str
    run: Callable[[Load], Measures]
    needs: str | tuple[str, ...] = ()
    share: float = 1.0
    up_to: int = 100_000

    @property
    def installed(self) -> bool:
        """Whether it can be measured here."""
        modules = (self.needs,) if isinstance(self.needs, str) else self.needs
        return all(find_spec(module) is not None for module in modules)

    def load(self, work: int, actors: int) -> Load:
        """Its part of the work."""
        return Load(max(1, round(work * self.share)), actors)


@attrs.frozen
class Target:
    """What has to be reached by the value itself, or by its ratio to the peer's."""

    bound: float
    ratio: bool = False
    at_most: bool = False

    def met(self, value: float | None, ratio: float | None) -> bool | None:
        """Whether it is reached; None where it could not be measured."""
        measured = ratio if self.ratio else value
        if measured is None:
            return None
        return measured <= self.bound if self.at_most else measured >= self.bound


@attrs.frozen
class Figure:
    """One line of the table: a measure of a subject, beside the same one of a peer."""

    what: str
    measure: str
    unit: str
    subject: str = OURS
    peer: str | None = None
    target: Target | None = None


@attrs.frozen
class Row:
    """Figures about one matter, and the subjects they are taken from.

    With several ``sizes``, the samples are taken over each number of actors, the figures are about the
    largest one, and ``curves`` are the measures, with their units, that are shown over all of them.
    """

    name: str
    title: str
    subjects: tuple[Subject, ...]
    figures: tuple[Figure, ...]
    work: int
    rounds: int = 5
    sizes: tuple[int, ...] = (1,)
    curves: tuple[tuple[str, str], ...] = ()

    def reduced(self) -> Row:
        """The same row, only to see that it runs."""
        sizes = tuple(sorted({min(size, 10 * number) for number, size in enumerate(self.sizes, 1)})[:2])
        return attrs.evolve(self, work=50, rounds=1, sizes=sizes)


@attrs.frozen
class Samples:
    """All that a row's subjects measured: one list of samples for each subject and number of actors."""

    row: Row
    taken: dict[tuple[str, int], list[Measures]]
    #: why a subject has none: "not installed" or "failed"
    missing: dict[str, str]

    def values(self, subject: str, actors: int, measure: str) -> list[float]:
        """One measure, in the order in which the samples were taken."""
        return [sample[measure] for sample in self.taken.get((subject, actors), ()) if measure in sample]

    def median(self, subject: str, actors: int, measure: str) -> float | None:
        """The median of one measure's samples. (The best would flatter whom an accident helps, as a busy
        machine helps threads that otherwise get into each other's way.)
        """
        values = self.values(subject, actors, measure)
        return statistics.median(values) if values else None

    def results(self) -> list[Result]:
        """The row's figures, judged."""
        return [self._result(figure) for figure in self.row.figures]

    def _result(self, figure: Figure) -> Result:
        actors = max(self.row.sizes)
        value = self.median(figure.subject, actors, figure.measure)
        peers: list[float] = []
        peer_value = ratio = None
        if figure.peer is not None:
            peers = self.values(figure.peer, actors, figure.measure)
            peer_value = self.median(figure.peer, actors, figure.measure)
        if value is not None and peer_value:
            ratio = value / peer_value
        return Result(
            row=self.row.name,
            what=figure.what.format(actors=actors),
            unit=figure.unit,
            value=value,
            samples=self.values(figure.subject, actors, figure.measure),
            peer=figure.peer,
            peer_value=peer_value,
            peer_samples=peers,
            peer_missing=self.missing.get(figure.peer) if figure.peer is not None else None,
            ratio=ratio,
            target=figure.target,
            met=figure.target.met(value, ratio) if figure.target is not None else None,
        )

    def growth(self) -> list[dict[str, object]]:
        """The row's curves as plain data: each measure's median, by subject and number of actors."""
        return [
            {
                "row": self.row.name,
                "subject": subject,
                "actors": actors,
                **{name: self.median(subject, actors, name) for name, _ in self.row.curves},
            }
            for subject, actors in self.taken
            if self.row.curves
        ]


@attrs.frozen
class Result:
    """A figure with its values: the median of the samples, and all of them."""

    row: str
    what: str
    unit: str
    value: float | None
    samples: list[float]
    peer: str | None
    peer_value: float | None
    peer_samples: list[float]
    peer_missing: str | None
    ratio: float | None
    target: Target | None
    met: bool | None


def take(row: Row, say: Callable[[str], None]) -> Samples:
    """Take all samples of a row: each subject once, then each once more, and so on."""
    samples = Samples(row, {}, {s.name: "not installed" for s in row.subjects if not s.installed})
    for actors in row.sizes:
        for turn in range(row.rounds):
            for subject in _able(row.subjects, samples, actors):
                say(f"{row.name}: {actors:,} × {subject.name}, {turn + 1} of {row.rounds}")
                try:
                    measures = _sample(row.name, subject, subject.load(row.work, actors))
                except subprocess.SubprocessError:
                    samples.missing[subject.name] = "failed"
                else:
                    samples.taken.setdefault((subject.name, actors), []).append(measures)
    return samples


def _able(subjects: Iterable[Subject], samples: Samples, actors: int) -> list[Subject]:
    return [s for s in subjects if s.name not in samples.missing and actors <= s.up_to]


def _sample(row: str, subject: Subject, load: Load) -> Measures:
    """One sample, by `benchmarks._sample` in a fresh interpreter; its errors appear on ours."""
    command = [
        sys.executable,
        "-m",
        "benchmarks._sample",
        row,
        subject.name,
        str(load.work),
        str(load.actors),
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        finally:
            if process.poll() is None:  # it hangs, or we were interrupted: with whatever it has started
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    measures: Any = json.loads(output.splitlines()[-1])
    return {str(name): float(value) for name, value in measures.items()}


# What samples are made with


class Watch:
    """How long something took."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def rate(self, count: int) -> float:
        """So many of them in a second."""
        return count / self.seconds


@contextmanager
def timed() -> Generator[Watch]:
    """Time the body. The garbage of what came before is collected first, at nobody's cost."""
    gc.collect()
    watch = Watch()
    began = time.perf_counter()
    yield watch
    watch.seconds = time.perf_counter() - began


def resident() -> float:
    """The memory of this process in KiB, garbage collected."""
    gc.collect()
    return psutil.Process().memory_info().rss / 1024
