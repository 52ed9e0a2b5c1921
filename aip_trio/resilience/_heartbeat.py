"""Whether the peer still lives, told from what is heard of it; without clock or I/O."""

from enum import Enum

import attrs

from aip_trio.errors import InvalidSpec
from aip_trio.machine import Machine, Tracker

__all__ = ["HEARTBEAT_MACHINE", "HeartbeatDetector", "HeartbeatEvent", "HeartbeatState"]


class HeartbeatState(Enum):
    """What is thought of the peer."""

    IDLE = "idle"  #: nobody watches it
    ALIVE = "alive"
    SUSPECT = "suspect"  #: silent for a whole period, but not yet for too many
    LOST = "lost"


class HeartbeatEvent(Enum):
    """What happens to what is thought of the peer."""

    START = "start"
    HEARD = "heard"
    MISS = "miss"
    LOSE = "lose"
    STOP = "stop"


HEARTBEAT_MACHINE = Machine(
    "heartbeat",
    initial=HeartbeatState.IDLE,
    table={
        HeartbeatState.IDLE: {
            HeartbeatEvent.START: HeartbeatState.ALIVE,
            HeartbeatEvent.HEARD: HeartbeatState.IDLE,
        },
        HeartbeatState.ALIVE: {
            HeartbeatEvent.HEARD: HeartbeatState.ALIVE,
            HeartbeatEvent.MISS: HeartbeatState.SUSPECT,
            HeartbeatEvent.STOP: HeartbeatState.IDLE,
        },
        HeartbeatState.SUSPECT: {
            HeartbeatEvent.HEARD: HeartbeatState.ALIVE,
            HeartbeatEvent.LOSE: HeartbeatState.LOST,
            HeartbeatEvent.STOP: HeartbeatState.IDLE,
        },
        # Who asks on after the verdict may yet hear that it was wrong.
        HeartbeatState.LOST: {
            HeartbeatEvent.HEARD: HeartbeatState.ALIVE,
            HeartbeatEvent.STOP: HeartbeatState.IDLE,
        },
    },
)


def _positive(instance: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InvalidSpec(f"HeartbeatDetector.{attribute.name}", value, "give seconds, more than 0")


@attrs.define(eq=False)
class HeartbeatDetector:
    """When to send a heartbeat, and when the peer counts as lost: after ``misses`` silent periods.

    A period is ``interval`` seconds; anything heard of the peer, an answer or not, begins the silence
    anew. Times are seconds of any clock that does not run backwards, Trio's for example. Whoever uses it
    looks at `wake`, and at every frame tells `heard`::

        detector.start(trio.current_time())
        while True:
            await trio.sleep_until(detector.wake)
            now = trio.current_time()
            if detector.silent(now):
                raise PeerSilent(detector.silence(now))
            if detector.due(now):
                await send_heartbeat()
                detector.sent(now)

    Synchronous throughout. Keeps to `HEARTBEAT_MACHINE`.
    """

    interval: float = attrs.field(default=20.0, validator=_positive)
    misses: int = attrs.field(default=2, kw_only=True)
    _life: Tracker[HeartbeatState, HeartbeatEvent] = attrs.field(init=False, factory=HEARTBEAT_MACHINE.start)
    _heard: float = attrs.field(init=False, default=0.0)
    _sent: float = attrs.field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.misses, bool) or not isinstance(self.misses, int) or self.misses < 1:
            raise InvalidSpec("HeartbeatDetector.misses", self.misses, "give a number of periods, 1 or more")

    @property
    def state(self) -> HeartbeatState:
        """What was thought of the peer at the last look."""
        return self._life.state

    def start(self, now: float) -> None:
        """Begin: the peer was just heard, and the first heartbeat is due in one period.

        :raises IllegalTransition: it has begun already
        """
        self._life.fire(HeartbeatEvent.START)
        self._heard = self._sent = now

    def heard(self, now: float) -> None:
        """Something came from the peer."""
        self._life.fire(HeartbeatEvent.HEARD)
        self._heard = now

    def due(self, now: float) -> bool:
        """Whether the next heartbeat is to be sent."""
        return self.state is not HeartbeatState.IDLE and now >= self._sent + self.interval

    def sent(self, now: float) -> None:
        """A heartbeat was sent; the next one is due a period later."""
        self._sent = now

    def silence(self, now: float) -> float:
        """Seconds since the peer was last heard."""
        return now - self._heard

    def silent(self, now: float) -> bool:
        """Look: whether the peer has been silent for too many periods. It counts as lost from then on."""
        if self.state is HeartbeatState.ALIVE and now >= self._after(1):
            self._life.fire(HeartbeatEvent.MISS)
        if self.state is HeartbeatState.SUSPECT and now >= self._after(self.misses):
            self._life.fire(HeartbeatEvent.LOSE)
        return self.state is HeartbeatState.LOST

    @property
    def wake(self) -> float:
        """When to look again: the next heartbeat is due, or the peer's time is up; infinite when idle.

        May lie in the past until `sent` or `heard` is told. Hearing of the peer never makes it earlier.
        """
        if self.state is HeartbeatState.IDLE:
            return float("inf")
        due = self._sent + self.interval
        return due if self.state is HeartbeatState.LOST else min(due, self._after(self.misses))

    def excuse(self, seconds: float) -> None:
        """Take so many seconds off the silence: we did not run ourselves, and could not have heard."""
        self._heard += seconds

    def stop(self) -> None:
        """End it.

        :raises IllegalTransition: it does not run
        """
        self._life.fire(HeartbeatEvent.STOP)

    def _after(self, periods: int) -> float:
        return self._heard + periods * self.interval
