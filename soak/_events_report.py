"""What came of a soak of events, in figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from soak._events_settings import EventsSettings
from soak._events_verdict import EventsVerdict, Heard

__all__ = ["EventsReport"]

#: Faults that are shown; all are in the folder's report.
_SHOWN = 20


@attrs.frozen
class EventsReport:
    """``published``: how the publishing went. ``memory``: MiB by which the service has grown at the most."""

    settings: EventsSettings
    seconds: float
    published: Mapping[str, float]
    heard: Sequence[Heard]
    verdict: EventsVerdict
    memory: float

    @property
    def faults(self) -> list[str]:
        """All that is wrong."""
        return self.verdict.faults

    def data(self) -> dict[str, object]:
        """For a file of JSON; times in seconds, memory in MiB."""
        settings = {name: value for name, value in attrs.asdict(self.settings).items() if name != "folder"}
        return {
            "settings": settings,
            "seconds": self.seconds,
            "published": dict(self.published),
            "memory": round(self.memory, 1),
            "bound": self.settings.bound,
            **attrs.asdict(self.verdict),
            "heard": [attrs.asdict(each) for each in self.heard],
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        settings, published = self.settings, self.published
        yield (
            f"events: {settings.events:,} to {settings.subscribers} subscribers in {self.seconds:.0f} s,"
            f" {settings.replay:,} kept"
        )
        yield (
            f"published    {settings.events / published['seconds']:,.0f}/s;"
            f" the service took no more {published['refused']:,} times"
        )
        yield f"memory       {self.memory:.0f} MiB more, of {settings.bound:.0f} at the most"
        *others, stopped = self.heard
        if others:
            yield f"others       {_told(others)}"
        yield f"stopped      {_told([stopped])}"
        yield (
            f"             {stopped.missing:,} told as lost in {stopped.gaps} gaps,"
            f" {self.verdict.replayed:,} sent again"
        )
        faults = self.faults
        yield f"faults       {len(faults):,}" if faults else "faults       none"
        yield from (f"  {fault}" for fault in faults[:_SHOWN])
        if faults:
            yield f"logs: {settings.folder}"


def _told(heard: Sequence[Heard]) -> str:
    """The least and the worst of some."""
    p50, p99, worst = (max(each.delays[part] for each in heard) for part in ("p50", "p99", "worst"))
    return (
        f"{min(each.delivered for each in heard):,} events each, {min(each.rate for each in heard):,.0f}/s;"
        f" median {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.0f} ms, worst {worst:.2f} s"
    )
