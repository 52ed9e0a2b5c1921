"""One soak of events: a service, its subscribers, one of which is stopped, and what they have had."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

from soak._events_report import EventsReport
from soak._events_settings import EventsSettings
from soak._events_verdict import Heard, judge_events
from soak._programs import Programs

__all__ = ["run_events"]

#: Seconds between two looks at the service's memory.
_LOOK = 0.1


def run_events(settings: EventsSettings, say: Callable[[str], None]) -> EventsReport:
    """Soak to the last event. Raises Broken where a program fails altogether."""
    with Programs(settings.folder) as programs:
        orders = {
            "events": settings.events,
            "size": settings.size,
            "rate": settings.rate,
            "replay": settings.replay,
            "send_limit": settings.send_limit,
        }
        programs.start("service", "soak.events_service", json.dumps(orders))
        names = _start_subscribers(programs, settings, json.loads(programs.line("service")))
        before = programs.memory("service")
        programs.say("service", "publish")
        began = time.monotonic()
        memory = _Memory(programs, before)
        for until, number in settings.stops:
            memory.watch(_past(began + until))
            programs.check("service", names[-1])
            programs.signal(names[-1], number)
            say(
                f"{until:5.0f} s: {names[-1]} has had a {number.name};"
                f" the service has grown by {memory.grown:.0f} MiB"
            )
        late = _past(began + settings.limit)
        memory.watch(lambda: late() or all(programs.status(name) is not None for name in names))
        seconds = time.monotonic() - began
        heard = [Heard(**json.loads(programs.end(name))) for name in names]
        published, ended = map(json.loads, programs.end("service").splitlines())
        complaints = programs.complaints()
    verdict = judge_events(
        heard,
        events=settings.events,
        stopped=names[-1],
        replayed=ended["replayed"],
        delay=settings.delay,
        memory=memory.grown,
        bound=settings.bound,
    )
    verdict.faults += complaints
    return EventsReport(settings, round(seconds, 3), published, heard, verdict, memory.grown)


def _start_subscribers(programs: Programs, settings: EventsSettings, ports: Sequence[int]) -> list[str]:
    """Their names, once all are subscribed; the last is the one to stop."""
    names = [f"subscriber-{number}" for number in range(1, settings.subscribers + 1)]
    for name in names:
        orders = {
            "name": name,
            "subscriber_port": ports[0],
            "command_port": ports[1],
            "events": settings.events,
        }
        programs.start(name, "soak.events_subscriber", json.dumps(orders))
    for name in names:
        programs.line(name)
    return names


def _past(moment: float) -> Callable[[], bool]:
    return lambda: time.monotonic() > moment


class _Memory:
    """How much the service has grown at the most, in MiB."""

    def __init__(self, programs: Programs, before: float) -> None:
        self._programs = programs
        self._before = before
        self.grown = 0.0

    def watch(self, over: Callable[[], bool]) -> None:
        """Until that is so."""
        while not over():
            self.grown = max(self.grown, self._programs.memory("service") - self._before)
            time.sleep(_LOOK)
