"""What a soak of kills is told."""

from __future__ import annotations

from pathlib import Path

import attrs

__all__ = ["KillsSettings"]


@attrs.frozen(kw_only=True)
class KillsSettings:
    """``kills``: how many times the service is killed. ``life``, ``away``: the most seconds until it is, and
    until it is started again. ``settle``: those after the last restart, for clients to come back and ask once
    more. ``patience``: the deadline of a command that has to survive all that.
    """

    kills: int
    seed: int
    folder: Path
    clients: int = 20
    life: float = 2.0
    away: float = 1.0
    settle: float = 3.0
    patience: float = 15.0
