"""What becomes of a connection: decided when it is made, by chance alone. Pure."""

from __future__ import annotations

from enum import Enum
from random import Random

import attrs

__all__ = ["Direction", "Ending", "Fate", "Stall", "fate"]


class Direction(Enum):
    """Which way bytes go: up to the server, or down from it."""

    UP = "up"
    DOWN = "down"


class Ending(Enum):
    """How a connection is broken."""

    DROP = "drop"  #: both sides see the end of the stream, as of a proxy that is restarted
    RESET = "reset"  #: both sides see a reset, as of a NAT that has forgotten them
    SILENCE = "silence"  #: nothing passes any more, for a while; then a reset
    TRUNCATE = "truncate"  #: after so many bytes in one direction, wherever that is in a frame


@attrs.frozen
class Stall:
    """Nothing passes in either direction; what was sent meanwhile comes after it. Seconds."""

    after: float
    lasts: float


@attrs.frozen
class Fate:
    """``after``: seconds that the connection has (for TRUNCATE: at most).

    ``silence``: seconds of it before the reset. ``bytes``: how many pass in ``direction`` before TRUNCATE.
    """

    ending: Ending
    after: float
    stalls: tuple[Stall, ...] = ()
    silence: float = 0.0
    direction: Direction = Direction.UP
    bytes: int = 0


def fate(random: Random, life: float) -> Fate:
    """A connection's fate; ``life``: how many seconds connections have on the average.

    The first connections of a client are broken as likely as its later ones, and some of them in the middle
    of the handshake: so are registrations and resumptions.
    """
    ending = random.choice(list(Ending))
    after = min(random.expovariate(1 / life), 5 * life)
    stalls: list[Stall] = []
    begin = random.uniform(0, 2 * life)
    while begin < after:
        stalls.append(Stall(begin, random.uniform(0.02, life / 2)))
        begin += stalls[-1].lasts + random.uniform(0, 2 * life)
    return Fate(
        ending=ending,
        after=after,
        stalls=tuple(stalls),
        silence=random.uniform(0.1, life) if ending is Ending.SILENCE else 0.0,
        direction=random.choice(list(Direction)),
        # from within the handshake to some hundred frames: as likely 100 as 100,000
        bytes=int(10 ** random.uniform(1.5, 5)) if ending is Ending.TRUNCATE else 0,
    )
