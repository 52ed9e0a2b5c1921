"""``python -m soak.kills [--kills N] [--clients N] [--seed N] …``: exit status 0 where nothing is wrong.

A service is killed under the commands of its clients, and started again. What it has really run is read from
the journal that its delegate writes: no command ran twice, each was answered once or failed with an error
that says what may have become of it, and no client is stuck.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import SystemRandom

from soak._conduct import conduct, say
from soak._kills_report import KillsReport
from soak._kills_run import run_kills
from soak._kills_settings import KillsSettings

__all__ = ["main"]


def main() -> int:
    """Soak."""
    options = _parse()

    def soak(folder: Path) -> KillsReport:
        settings = KillsSettings(
            kills=options.kills,
            seed=SystemRandom().randrange(2**32) if options.seed is None else options.seed,
            folder=folder,
            clients=options.clients,
            life=options.life,
        )
        say(f"seed {settings.seed}, {options.kills} kills, journal and logs in {folder}")
        return run_kills(settings, say)

    return conduct(options.folder, soak)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of the service (%(default)d)")
    parser.add_argument("--clients", type=int, default=20, help="default: %(default)d")
    parser.add_argument("--seed", type=int, help="of its lives; default: by chance, and shown")
    parser.add_argument("--life", type=float, default=2.0, help="the most seconds until a kill (%(default)g)")
    parser.add_argument("--folder", type=Path, help="for the journal and logs; default: a temporary one")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
