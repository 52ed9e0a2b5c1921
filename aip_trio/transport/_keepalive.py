"""When to ping a peer, and when it counts as gone."""

from enum import Enum

__all__ = ["Beat", "Keepalive"]


class Beat(Enum):
    """What is to be done now."""

    NOTHING = "nothing"
    PING = "ping"
    GIVE_UP = "give_up"


class Keepalive:
    """Decides; knows neither clock nor connection. Times are seconds of one clock, infinity is never.

    ``interval`` between pings; ``patience``: how long a peer may be quiet, while somebody listens to it.
    """

    __slots__ = ("_interval", "_patience", "_ping_at")

    def __init__(self, interval: float, patience: float, now: float) -> None:
        self._interval = interval
        self._patience = patience
        self._ping_at = now + interval

    def due(self, quiet_since: float) -> float:
        """When to ask `beat` again."""
        return min(self._ping_at, quiet_since + self._patience)

    def beat(self, now: float, quiet_since: float) -> Beat:
        """What is due; a PING that is returned is taken for sent."""
        if now >= quiet_since + self._patience:
            return Beat.GIVE_UP
        if now >= self._ping_at:
            self._ping_at = now + self._interval
            return Beat.PING
        return Beat.NOTHING
