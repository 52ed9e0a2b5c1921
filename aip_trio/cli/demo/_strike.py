"""Who is killed when: a pure decision."""

from collections.abc import Sequence
from enum import Enum
from random import Random

import attrs

__all__ = ["Aim", "Strike", "aim"]

#: A strike comes between these parts of the tasks that a run has at least.
_EARLY, _LATE = 0.2, 0.6

#: Seconds between a task's departure and the strike, at most: some are hit on their way, some at work.
_FUSE = 0.02


class Aim(Enum):
    """What happens in a run."""

    NOBODY = "in peace"
    DEVICE = "a device is killed"
    SERVER = "the server is killed"


@attrs.frozen
class Strike:
    """SIGKILL for ``victim``, ``fuse`` seconds after more than ``at`` tasks have left for it.

    Where fewer go there, after the last one. All tasks are for the server.
    """

    victim: str
    at: int
    fuse: float


def aim(what: Aim, random: Random, devices: Sequence[str], jobs: int) -> Strike | None:
    """A strike for a run of at least so many tasks; equal seeds strike equally."""
    part = random.uniform(_EARLY, _LATE)
    fuse = random.uniform(0.0, _FUSE)
    victim = random.choice(devices)
    match what:
        case Aim.NOBODY:
            return None
        case Aim.DEVICE:
            return Strike(victim, int(part * jobs / len(devices)), fuse)
        case Aim.SERVER:
            return Strike("server", int(part * jobs), fuse)
