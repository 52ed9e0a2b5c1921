"""What came of a soak, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from soak._fates import Ending
from soak._settings import Settings
from soak._verdict import Verdict

__all__ = ["Report"]

#: Faults that are shown; all are in the folder's report.
_SHOWN = 20


@attrs.frozen
class Report:
    """``network``: what the proxies did, and how often links were resumed.

    ``latencies``: seconds of each task, in order.
    """

    settings: Settings
    seconds: float
    verdict: Verdict
    network: Counter[str]
    latencies: Sequence[float]

    @property
    def faults(self) -> list[str]:
        """All that is wrong; a soak that soaked nothing is no good one."""
        found = list(self.verdict.faults)
        if not self.verdict.tasks:
            found.append("no task has ended: see the logs of the orchestrators")
        if not self.cuts:
            found.append("the network was never broken: let it run longer, or give --life fewer seconds")
        if self.settings.exactly_once and self.network["link aip.v1"]:
            found.append(
                f"{self.network['link aip.v1']} of the links were of version 1, which promises nothing"
            )
        return found

    @property
    def cuts(self) -> int:
        """Connections that the network ended."""
        return sum(self.network[ending.value] for ending in Ending)

    def quantile(self, share: float) -> float:
        """The latency that so many tasks have at most."""
        return self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)]

    def data(self) -> dict[str, object]:
        """For a file of JSON; times in seconds."""
        settings = {name: value for name, value in attrs.asdict(self.settings).items() if name != "folder"}
        return {
            "settings": settings,
            "seconds": round(self.seconds, 3),
            **attrs.asdict(self.verdict),
            "faults": self.faults,
            "network": dict(sorted(self.network.items())),
            "latency": {
                f"p{share * 100:g}" if share < 1 else "worst": self.quantile(share)
                for share in (0.5, 0.99, 1.0)
                if self.latencies
            },
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        settings, verdict, network = self.settings, self.verdict, self.network
        yield (
            f"soak of {self.seconds:.0f} s, seed {settings.seed}, links {settings.link}:"
            f" {settings.devices} devices, {settings.orchestrators} orchestrators"
        )
        for name, count in (("tasks", verdict.tasks), ("commands", verdict.commands)):
            yield f"{name:<12} {count:,} ({count / self.seconds:.1f}/s)"
        if not settings.exactly_once:
            yield (
                f"             {verdict.attempts - verdict.tasks:,} requests repeated,"
                f" {verdict.doubled:,} commands run twice, {verdict.broken_off:,} broken off"
            )
        if self.latencies:
            yield (
                f"latency      median {self.quantile(0.5):.3f} s, p99 {self.quantile(0.99):.3f} s,"
                f" worst {self.quantile(1.0):.3f} s"
            )
        links = ", ".join(
            f"{count:,} {name.removeprefix('link ')}"
            for name, count in sorted(network.items())
            if name.startswith("link ")
        )
        yield f"connections  {network['connections']:,}: {links}; {network['resumptions']:,} resumptions"
        cuts = ", ".join(f"{network[ending.value]:,} {ending.value}" for ending in Ending)
        yield f"network      {self.cuts:,} cuts ({cuts}), {network['stalls']:,} stalls"
        faults = self.faults
        yield f"faults       {len(faults):,}" if faults else "faults       none"
        yield from (f"  {fault}" for fault in faults[:_SHOWN])
        if faults:
            yield f"journals, what was asked, and logs: {settings.folder}"
