"""What was asked, against what the devices' journals say was done. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise, zip_longest

import attrs

__all__ = ["Ended", "Line", "Verdict", "judge", "read_journal"]


@attrs.frozen
class Ended:
    """A task as its orchestrator saw it: ``commands`` it had; ``results``: what they returned. Seconds."""

    stream: str
    task: int
    attempts: int
    commands: int
    error: str | None
    results: list[object]
    seconds: float


@attrs.frozen(order=True)
class Line:
    """A device has begun a command, or done it: the ``number``-th of a task."""

    task: int
    attempt: int
    number: int
    done: bool


@attrs.define
class Verdict:
    """What is wrong, one line each; and what is as it has to be, in numbers.

    ``doubled`` and ``broken_off`` commands are faults, too, unless the link is one that cannot help it.
    """

    faults: list[str] = attrs.field(factory=list[str])
    tasks: int = 0
    commands: int = 0
    failed: int = 0
    attempts: int = 0
    doubled: int = 0
    broken_off: int = 0


def read_journal(lines: Iterable[str]) -> dict[str, list[Line]]:
    """By stream. Raises ValueError for a line that is none: each is written at once, or not at all."""
    streams: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        word, stream, task, attempt, number = line.split()
        done = {"begin": False, "done": True}[word]
        streams[stream].append(Line(int(task), int(attempt), int(number), done))
    return dict(streams)


def judge(ends: Iterable[Ended], journals: dict[str, list[Line]], *, exactly_once: bool) -> Verdict:
    """Compare what was asked with what was done.

    ``exactly_once``: whether the link promises it; else a task that failed is asked for again, and a command
    may have run in more than one of its attempts.
    """
    verdict = Verdict()
    asked: defaultdict[str, list[Ended]] = defaultdict(list)
    for end in ends:
        asked[end.stream].append(end)
    for stream in sorted({*asked, *journals}):
        told, lines = asked.get(stream, []), journals.get(stream, [])
        faults = [*_of_tasks(told, verdict), *_of_commands(told, lines, verdict, exactly_once)]
        if exactly_once and not faults:
            faults += _of_sequence(told, lines)
        verdict.faults += (f"{stream}, {fault}" for fault in faults)
    return verdict


def _of_tasks(ends: list[Ended], verdict: Verdict) -> Iterator[str]:
    """The faults of one stream that its orchestrator saw; its tasks were asked for one after another."""
    verdict.tasks += len(ends)
    for place, end in enumerate(ends):
        verdict.commands += end.commands
        verdict.attempts += end.attempts
        if end.error is not None:
            verdict.failed += 1
            yield f"task {end.task}: failed after {end.seconds:.1f} s: {end.error}"
        elif end.results != list(range(end.commands)):
            yield f"task {end.task}: its results are {end.results}, not 0 to {end.commands - 1}"
        if end.task != place:
            yield f"task {end.task}: ended in the place of task {place}"


def _of_commands(ends: list[Ended], lines: list[Line], verdict: Verdict, exactly_once: bool) -> Iterator[str]:
    """The faults of one stream that its device's journal shows."""
    begun = [line for line in lines if not line.done]
    for earlier, later in pairwise(begun):
        if later < earlier:
            yield f"task {later.task}: command {later.number} of attempt {later.attempt} began too late"
    times = Counter((line.task, line.number) for line in lines if line.done)
    completed = {end.task: end.commands for end in ends if end.error is None}
    for task, commands in completed.items():
        for number in range(commands):
            if not times[task, number]:
                yield f"task {task}: command {number} is lost: told as done, and never run"
    for (task, number), count in times.items():
        if count > 1:
            verdict.doubled += 1
            if exactly_once:
                yield f"task {task}: command {number} ran {count} times"
        if number >= completed.get(task, number + 1):
            yield f"task {task}: command {number} was never asked for"
    broken_off = Counter(begun) - Counter(attrs.evolve(line, done=False) for line in lines if line.done)
    verdict.broken_off += broken_off.total()
    if exactly_once:
        for line in sorted(broken_off):
            yield f"task {line.task}: command {line.number} was broken off"


def _of_sequence(ends: list[Ended], lines: list[Line]) -> Iterator[str]:
    """The first line of the journal that is not the one that is due: each command begins, and is done."""
    due = [
        Line(end.task, 1, number, done)
        for end in ends
        for number in range(end.commands)
        for done in (False, True)
    ]
    for place, (found, wanted) in enumerate(zip_longest(lines, due), 1):
        if found != wanted:
            yield f"line {place} of its journal: {found}, where {wanted} is due"
            return
