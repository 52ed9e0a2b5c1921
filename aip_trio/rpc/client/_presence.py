"""Whether a service is there, told from its heartbeats; without I/O or clock."""

from __future__ import annotations

import math
from collections import deque
from enum import Enum

import attrs

from aip_trio.machine import Machine
from aip_trio.rpc.client._published import Heartbeat

__all__ = ["PRESENCE_MACHINE", "Presence", "PresenceDetector", "PresenceEvent", "PresenceState"]

#: Seconds between two heartbeats, until the service has shown what its own are.
_USUAL_INTERVAL = 5.0
#: The shortest that is believed: heartbeats that a network held up come all at once.
_SHORTEST_INTERVAL = 0.1

#: Intervals without a heartbeat, after which a service is missing, and gone.
_MISSING_AFTER, _GONE_AFTER = 2, 5


class PresenceState(Enum):
    """What is known of a service."""

    UNKNOWN = "unknown"  #: no heartbeat has come yet
    PRESENT = "present"
    MISSING = "missing"  #: two heartbeats were due and did not come
    GONE = "gone"  #: five were


class PresenceEvent(Enum):
    """What happens to what is known of a service."""

    HEARTBEAT = "heartbeat"
    MISS = "miss"
    GIVE_UP = "give up"


PRESENCE_MACHINE = Machine(
    "presence",
    initial=PresenceState.UNKNOWN,
    table={
        PresenceState.UNKNOWN: {PresenceEvent.HEARTBEAT: PresenceState.PRESENT},
        PresenceState.PRESENT: {
            PresenceEvent.HEARTBEAT: PresenceState.PRESENT,
            PresenceEvent.MISS: PresenceState.MISSING,
        },
        PresenceState.MISSING: {
            PresenceEvent.HEARTBEAT: PresenceState.PRESENT,
            PresenceEvent.GIVE_UP: PresenceState.GONE,
        },
        PresenceState.GONE: {PresenceEvent.HEARTBEAT: PresenceState.PRESENT},
    },
)


@attrs.frozen
class Presence:
    """What is known of a service, at a moment."""

    state: PresenceState
    #: when it began to be so, in Trio's clock
    since: float
    #: the last one that came
    heartbeat: Heartbeat | None
    #: seconds between two heartbeats, as it seems
    interval: float


class PresenceDetector:
    """Follows the heartbeats of a service. Times are seconds of any clock that does not run backwards.

    How far heartbeats are apart is learnt from the last four: one that was late, or a time in which the
    service was away, does not count. From those that a network, or this process, has held up nothing is
    learnt: they come much closer together than they say they were sent.
    """

    def __init__(self, now: float) -> None:
        self._machine = PRESENCE_MACHINE.start()
        self._since = now
        self._heartbeat: Heartbeat | None = None
        self._heard = now
        self._distances: deque[float] = deque(maxlen=3)

    @property
    def presence(self) -> Presence:
        """What is known now."""
        return Presence(self._machine.state, self._since, self._heartbeat, self.interval)

    @property
    def interval(self) -> float:
        """Seconds between two heartbeats, as it seems."""
        if not self._distances:
            return _USUAL_INTERVAL
        middle = sorted(self._distances)[len(self._distances) // 2]
        return max(middle, _SHORTEST_INTERVAL)

    @property
    def wake(self) -> float:
        """When `tick` is worth a call; infinity: not before the next heartbeat."""
        match self._machine.state:
            case PresenceState.PRESENT:
                return self._heard + _MISSING_AFTER * self.interval
            case PresenceState.MISSING:
                return self._heard + _GONE_AFTER * self.interval
            case _:
                return math.inf

    def heard(self, heartbeat: Heartbeat, now: float) -> bool:
        """A heartbeat has come. True: something else is known now."""
        if self._heartbeat is not None:
            distance = now - self._heard
            if 2 * distance >= heartbeat.timestamp - self._heartbeat.timestamp:
                self._distances.append(distance)
        self._heartbeat = heartbeat
        self._heard = now
        return self._fire(PresenceEvent.HEARTBEAT, now)

    def tick(self, now: float) -> bool:
        """Time has passed. True: something else is known now."""
        if now < self.wake:
            return False
        if self._machine.state is PresenceState.PRESENT:
            self._fire(PresenceEvent.MISS, self.wake)
            self.tick(now)  # it may have been asked late
        else:
            self._fire(PresenceEvent.GIVE_UP, self.wake)
        return True

    def _fire(self, event: PresenceEvent, now: float) -> bool:
        before = self._machine.state
        self._machine.fire(event)
        if self._machine.state is before:
            return False
        self._since = now
        return True
