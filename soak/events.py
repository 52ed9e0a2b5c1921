"""``python -m soak.events [--events N] [--subscribers N] [--rate N] …``: exit status 0 where nothing is
wrong.

A service publishes, and one of its subscribers is stopped for a while. The others have every event in order
and in time; the one that was stopped has those that were kept for it, and is told which it will never have;
and the service's memory is bounded.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from soak._conduct import conduct, say
from soak._events_report import EventsReport
from soak._events_run import run_events
from soak._events_settings import EventsSettings

__all__ = ["main"]


def main() -> int:
    """Soak."""
    options = _parse()

    def soak(folder: Path) -> EventsReport:
        settings = EventsSettings(
            folder=folder,
            events=options.events,
            subscribers=options.subscribers,
            rate=options.rate,
            replay=options.replay,
            pause=options.pause,
            delay=options.delay,
        )
        say(f"{settings.events:,} events, {settings.rate:,.0f} in a second, logs in {folder}")
        return run_events(settings, say)

    return conduct(options.folder, soak)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak.events", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="default: %(default)d")
    parser.add_argument("--subscribers", type=int, default=10, help="default: %(default)d")
    parser.add_argument("--rate", type=float, default=5_000.0, help="events in a second (%(default)g)")
    parser.add_argument("--replay", type=int, default=100_000, help="events that are kept (%(default)d)")
    parser.add_argument("--pause", type=float, default=40.0, help="seconds that one is stopped (%(default)g)")
    parser.add_argument("--delay", type=float, default=5.0, help="the most seconds of an event (%(default)g)")
    parser.add_argument("--folder", type=Path, help="for the logs; default: a temporary one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
