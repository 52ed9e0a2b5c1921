"""``python -m soak [--minutes N] [--seed N] [--link v1|v2] …``: exit status 0 where nothing is wrong."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from soak._programs import Broken
from soak._run import run
from soak._settings import LINKS, Settings

__all__ = ["main"]


def main() -> int:
    """Soak, show the figures, and keep the folder where there is something to look at."""
    options = _parse()
    signal.signal(
        signal.SIGTERM, lambda number, _: sys.exit(128 + number)
    )  # so that blocks are left in order
    folder = options.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
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
    print(f"seed {settings.seed}, {options.minutes:g} min, journals and logs in {folder}", flush=True)
    try:
        report = run(settings, _say)
    except Broken as broken:
        print(f"broken off: {broken}", flush=True)
        return 1
    (folder / "report.json").write_text(json.dumps(report.data(), indent=1) + "\n")
    print("\n".join(report.lines()), flush=True)
    if report.faults:
        return 1
    if options.folder is None:
        shutil.rmtree(folder)
    return 0


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


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
