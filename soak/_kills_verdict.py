"""What clients asked of a service that was killed, against what its delegate has run. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

import attrs

__all__ = ["Asked", "KillsVerdict", "Outcome", "judge_kills"]

#: Seconds after its deadline in which a command has to have ended, on a machine that is busy.
_SLACK = 5.0


class Outcome(Enum):
    """What a client was told about a command."""

    DONE = "done"  #: the answer of this very command
    LOST = "lost"  #: the service died with it: it may have run, or not
    TIMEOUT = "timeout"  #: sent, and no answer within the deadline: it may have run, or not
    UNREACHABLE = "unreachable"  #: never sent: it has not run
    WRONG = "wrong"  #: anything else


@attrs.frozen
class Asked:
    """A command as its client saw it: the ``number``-th of that client.

    ``deadline``, ``seconds``: how long it might take, and how long it took; ``ended``: when, on the clock of
    all. ``told``: what the client was told, in words, where it was no answer.
    """

    client: str
    number: int
    deadline: float
    outcome: Outcome
    seconds: float
    ended: float
    told: str = ""

    @property
    def id(self) -> str:
        """What the delegate writes down."""
        return f"{self.client}.{self.number}"


@attrs.define
class KillsVerdict:
    """What is wrong, one line each; and what became of the commands."""

    faults: list[str] = attrs.field(factory=list[str])
    outcomes: Counter[Outcome] = attrs.field(factory=Counter[Outcome])
    #: commands that ran though nobody was told of it: the service died in between, or was too slow
    unknown: int = 0


def judge_kills(
    asked: Iterable[Asked],
    journal: Iterable[str],
    *,
    patience: float,
    restarted: float,
    strays: Mapping[str, int],
) -> KillsVerdict:
    """Compare what was asked with what was run.

    ``patience``: a deadline of so many seconds is one that every command has to keep, whatever is killed.
    ``restarted``: when the service was started for the last time. ``strays``: answers that each client has
    had to no command of its own that was still unanswered.
    """
    verdict = KillsVerdict()
    times = Counter(journal)
    clients: defaultdict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        clients[each.client].append(each)
        verdict.outcomes[each.outcome] += 1
        verdict.unknown += each.outcome is not Outcome.DONE and times[each.id] > 0
        verdict.faults += (f"{each.id}: {fault}" for fault in _of_one(each, times[each.id], patience))
    for client, ends in sorted(clients.items()):
        verdict.faults += (
            f"{client}: {fault}" for fault in _of_client(ends, restarted, strays.get(client, 0))
        )
    known = {each.id for ends in clients.values() for each in ends}
    verdict.faults += (f"{stranger}: ran, and was never asked for" for stranger in sorted(set(times) - known))
    return verdict


def _of_one(asked: Asked, times: int, patience: float) -> Iterator[str]:
    if times > 1:
        yield f"ran {times} times"
    if asked.outcome is Outcome.DONE and not times:
        yield "was answered, and never ran"
    if asked.outcome is Outcome.UNREACHABLE and times:
        yield "ran, and its client was told that it was never sent"
    if asked.outcome is Outcome.WRONG:
        yield f"ended with neither an answer nor a clear error: {asked.told}"
    if asked.outcome in (Outcome.TIMEOUT, Outcome.UNREACHABLE) and asked.deadline >= patience:
        yield f"{asked.outcome.value} after {asked.seconds:.1f} s, and the service was never away so long"
    if asked.seconds > asked.deadline + _SLACK:
        yield f"ended {asked.seconds - asked.deadline:.1f} s after its deadline"


def _of_client(ends: list[Asked], restarted: float, strays: int) -> Iterator[str]:
    """The faults of one client, which asked one thing after another."""
    for place, each in enumerate(ends):
        if each.number != place:
            yield f"command {each.number} ended in the place of command {place}"
            break
    if not any(each.ended > restarted and each.outcome is Outcome.DONE for each in ends):
        yield "it has had no answer since the last restart"
    if strays:
        yield f"{strays} answers came to nothing that it had asked, or for the second time"
