"""What came of a soak of kills, in figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from soak._kills_settings import KillsSettings
from soak._kills_verdict import KillsVerdict, Outcome

__all__ = ["KillsReport"]

#: Faults that are shown; all are in the folder's report.
_SHOWN = 20


@attrs.frozen
class KillsReport:
    """``times``: seconds of each command that was answered, in order."""

    settings: KillsSettings
    seconds: float
    verdict: KillsVerdict
    times: Sequence[float]

    @property
    def faults(self) -> list[str]:
        """All that is wrong; a soak in which nothing was lost has killed nobody at work."""
        found = list(self.verdict.faults)
        if not self.verdict.outcomes[Outcome.DONE]:
            found.append("no command was answered: see the log of the clients")
        if not self.verdict.outcomes[Outcome.LOST]:
            found.append("no command was lost: kill the service more often")
        return found

    def data(self) -> dict[str, object]:
        """For a file of JSON; times in seconds."""
        settings = {name: value for name, value in attrs.asdict(self.settings).items() if name != "folder"}
        return {
            "settings": settings,
            "seconds": self.seconds,
            "outcomes": {outcome.value: self.verdict.outcomes[outcome] for outcome in Outcome},
            "unknown": self.verdict.unknown,
            "faults": self.faults,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        settings, outcomes = self.settings, self.verdict.outcomes
        yield (
            f"kills: {settings.kills} within {self.seconds:.0f} s, seed {settings.seed},"
            f" {settings.clients} clients"
        )
        yield f"commands     {outcomes.total():,} ({outcomes.total() / self.seconds:.1f}/s)"
        yield "             " + ", ".join(f"{outcomes[outcome]:,} {outcome.value}" for outcome in Outcome)
        yield f"             {self.verdict.unknown:,} of those that were not answered have run"
        if self.times:
            middle, worst = self.times[len(self.times) // 2], self.times[-1]
            yield f"time         median {middle * 1e3:.1f} ms, worst {worst:.2f} s"
        faults = self.faults
        yield f"faults       {len(faults):,}" if faults else "faults       none"
        yield from (f"  {fault}" for fault in faults[:_SHOWN])
        if faults:
            yield f"journal, what was asked, and logs: {settings.folder}"
