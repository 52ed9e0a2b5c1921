"""What the device of `aip-trio rpc serve` does when it is told to: it acquires, or it does not."""

from collections.abc import Mapping
from enum import Enum

import attrs

from aip_trio.machine import Machine

__all__ = ["ACQUISITION_MACHINE", "Acquisition", "Happening", "Mode", "Switch"]


class Mode(Enum):
    """What the device is doing."""

    IDLE = "idle"
    ACQUIRING = "acquiring"
    EMERGENCY = "emergency"


class Switch(Enum):
    """The commands that change what it is doing; each has the name of its `aip_trio.rpc.ApiCommand`."""

    START_ACQUISITION = "START_ACQUISITION"
    STOP_ACQUISITION = "STOP_ACQUISITION"
    EMERGENCY_STOP = "EMERGENCY_STOP"
    EMERGENCY_RESUME = "EMERGENCY_RESUME"


#: An emergency stop ends an acquisition for good: after it, people look, and start it again. It may be given
#: twice, as auto-trainer-api's may: it tells of a danger, and the second who sees it must not be refused.
ACQUISITION_MACHINE = Machine(
    "acquisition",
    initial=Mode.IDLE,
    table={
        Mode.IDLE: {Switch.START_ACQUISITION: Mode.ACQUIRING, Switch.EMERGENCY_STOP: Mode.EMERGENCY},
        Mode.ACQUIRING: {Switch.STOP_ACQUISITION: Mode.IDLE, Switch.EMERGENCY_STOP: Mode.EMERGENCY},
        Mode.EMERGENCY: {Switch.EMERGENCY_STOP: Mode.EMERGENCY, Switch.EMERGENCY_RESUME: Mode.IDLE},
    },
)

#: Kinds of events. The first two are the peers'; they do not agree on a number for the others, which
#: therefore have one in the range of applications.
EMERGENCY_STOP, EMERGENCY_RESUME = 101, 102
ACQUISITION_STARTED, ACQUISITION_STOPPED = 9001, 9002

#: Where an emergency's end or beginning comes from, in the numbers of auto-trainer-api 0.12: a command.
_BY_COMMAND = 401


@attrs.frozen
class Happening:
    """An event to publish: its kind, and what there is to say of it."""

    kind: int
    context: Mapping[str, object]


class Acquisition:
    """One device's walk through `ACQUISITION_MACHINE`, and what it counts on the way. Pure: no clock, no I/O.

    Times are seconds on any clock that never goes back.
    """

    def __init__(self) -> None:
        self._tracker = ACQUISITION_MACHINE.start()
        self._number = 0
        self._readings = 0
        self._began = self._ended = 0.0

    @property
    def mode(self) -> Mode:
        """What the device is doing."""
        return self._tracker.state

    def switch(self, switch: Switch, now: float) -> list[Happening]:
        """Do what a command says, and return the events to publish, in order.

        Raises IllegalTransition, and changes nothing, where it cannot be done now.
        """
        before, after = self.mode, self._tracker.fire(switch)
        happenings: list[Happening] = []
        if switch is Switch.EMERGENCY_STOP:
            happenings.append(Happening(EMERGENCY_STOP, _emergency("active_alarms")))
        elif switch is Switch.EMERGENCY_RESUME:
            happenings.append(Happening(EMERGENCY_RESUME, _emergency("resumed_alarms")))
        if after is Mode.ACQUIRING:
            self._number += 1
            self._readings = 0
            self._began = now
            told: dict[str, object] = {"name": "acquisitionStarted", "number": self._number}
            happenings.append(Happening(ACQUISITION_STARTED, told))
        elif before is Mode.ACQUIRING:
            self._ended = now
            reason = "emergency" if after is Mode.EMERGENCY else "command"
            told = {"name": "acquisitionStopped", **self._account(now), "reason": reason}
            happenings.append(Happening(ACQUISITION_STOPPED, told))
        return happenings

    def count(self, readings: int) -> None:
        """So many readings more belong to the acquisition that runs."""
        self._readings += readings

    def status(self, now: float) -> dict[str, object]:
        """The mode, the acquisition that runs or else the last one, and what may be commanded now."""
        return {
            "mode": self.mode.value,
            "acquisition": self._account(now) if self._number else None,
            "may": [switch.value for switch in self._tracker.legal],
        }

    def _account(self, now: float) -> dict[str, object]:
        until = now if self.mode is Mode.ACQUIRING else self._ended
        return {
            "number": self._number,
            "seconds": round(until - self._began, 3),
            "readings": self._readings,
        }


def _emergency(alarms: str) -> dict[str, object]:
    return {"reason": "command", "reason_code": _BY_COMMAND, alarms: []}
