"""What a subscriber has had, against what was published. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

__all__ = ["EventsVerdict", "Heard", "Tally", "judge_events"]

#: Faults that one subscriber tells of: what comes after the first is often nothing but its consequence.
_TOLD = 5


@attrs.frozen
class Heard:
    """What one subscriber has had at the end.

    ``missing``: events that it was told it would never get; ``gaps``: times that it was told so.
    ``last``: the number of the last one that it had or was told of. ``delays``: seconds from publishing to
    handing over, by percentile.
    """

    name: str
    delivered: int
    gaps: int
    missing: int
    last: int
    rate: float
    delays: dict[str, float]
    faults: list[str]


class Tally:
    """Follows the events of one subscriber: their numbers are 1, 2, 3 … as they were published."""

    def __init__(self) -> None:
        self.delivered = self.gaps = self.missing = self.last = 0
        self.faults: list[str] = []

    def event(self, number: int) -> None:
        """One came."""
        if number != self.last + 1:
            self._wrong(f"event {number} came where {self.last + 1} was due")
        self.delivered += 1
        self.last = max(self.last, number)

    def gap(self, first: int, last: int) -> None:
        """It is told that these will not come."""
        if first != self.last + 1 or last < first:
            self._wrong(f"a gap was told from {first} to {last} where {self.last + 1} was due")
        self.gaps += 1
        self.missing += last - first + 1
        self.last = max(self.last, last)

    def _wrong(self, fault: str) -> None:
        if len(self.faults) < _TOLD:
            self.faults.append(fault)


@attrs.define
class EventsVerdict:
    """What is wrong, one line each; ``missed`` and ``replayed``: of the one that was stopped."""

    faults: list[str] = attrs.field(factory=list[str])
    missed: int = 0
    replayed: int = 0


def judge_events(
    heard: Iterable[Heard],
    *,
    events: int,
    stopped: str,
    replayed: int,
    delay: float,
    memory: float,
    bound: float,
) -> EventsVerdict:
    """Each has had every event in order; but ``stopped``, which may have had gaps told instead.

    ``replayed``: events that the service has sent again. ``delay``: the most seconds that one may take to a
    subscriber that was not stopped. ``memory``: how much the service has grown, and its ``bound``.
    """
    verdict = EventsVerdict(replayed=replayed)
    for each in heard:
        verdict.faults += (f"{each.name}: {fault}" for fault in each.faults)
        verdict.faults += (f"{each.name}: {fault}" for fault in _of_all(each, events))
        if each.name == stopped:
            verdict.missed = each.missing
        else:
            verdict.faults += (f"{each.name}: {fault}" for fault in _of_undisturbed(each, delay))
    if not verdict.missed and not replayed:
        verdict.faults.append(f"{stopped} has missed nothing: stop it for longer")
    if memory > bound:
        verdict.faults.append(f"the service has grown by {memory:.0f} MiB, more than {bound:.0f}")
    return verdict


def _of_all(heard: Heard, events: int) -> Iterator[str]:
    if heard.last != events:
        yield f"the last it knows of is event {heard.last}, not {events}"
    if heard.delivered + heard.missing != events:
        yield f"{heard.delivered} events came and {heard.missing} are told as lost, of {events}"


def _of_undisturbed(heard: Heard, delay: float) -> Iterator[str]:
    if heard.missing:
        yield f"{heard.missing} events are lost, though it was never stopped"
    if heard.delays["worst"] > delay:
        yield f"an event took {heard.delays['worst']:.1f} s"
