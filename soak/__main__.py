"""``python -m soak [--minutes N] [--seed N] [--link v1|v2] …``: exit status 0 where nothing is wrong."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import SystemRandom

from soak._conduct import conduct, say
from soak._report import Report
from soak._run import run
from soak._settings import LINKS, Settings

__all__ = ["main"]


def main() -> int:
    """Soak, show the figures, and keep the folder where there is something to look at."""
    options = _parse()

    def soak(folder: Path) -> Report:
        settings = Settings(
            seconds=options.minutes * 60,
            seed=SystemRandom().randrange(2**32) if options.seed is None else options.seed,
            folder=folder,
            link=options.link,
            devices=options.devices,
            orchestrators=options.orchestrators,
            streams=options.streams,
            life=options.life,
        )
        say(f"seed {settings.seed}, {options.minutes:g} min, journals and logs in {folder}")
        return run(settings, say)

    return conduct(options.folder, soak)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="default: %(default)g")
    parser.add_argument("--seed", type=int, help="of the network's moods; default: by chance, and shown")
    parser.add_argument("--link", choices=LINKS, default=LINKS[0], help="default: %(default)s")
    parser.add_argument("--devices", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--orchestrators", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--streams", type=int, default=2, help="tasks of each on each device at a time")
    parser.add_argument(
        "--life", type=float, default=2.0, help="seconds of a connection, on the average (%(default)g)"
    )
    parser.add_argument("--folder", type=Path, help="for journals and logs; default: a temporary one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
