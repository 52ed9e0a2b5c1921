"""What has happened on a device."""

# ruff: noqa: N815 - the names of event kinds are the peers'

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from aip_trio.rpc._open_enum import OpenEnum

__all__ = ["EMERGENCIES", "ApiEvent", "ApiEventKind"]

_RANGES = {
    0: "core",
    1: "behavior",
    2: "device",
    3: "inference",
    4: "analysis",
    5: "training",
    9: "application",
}


class ApiEventKind(OpenEnum):
    """The kind of an event: those whose name and number auto-trainer-api 0.9.7 and 0.12.0 agree on.

    All others are carried as their integers (each of the two gave many a number that has another name in the
    other).
    """

    emergencyStop = 101
    emergencyResume = 102
    applicationLaunched = 201
    applicationTerminating = 202
    propertyChanged = 501
    algorithmPause = 1001
    algorithmResume = 1002
    tunnelEnter = 1101
    tunnelExit = 1102
    pelletLoadBegin = 1202
    pelletLoadEnd = 1203
    pelletSendBegin = 1205
    pelletSendEnd = 1206
    pelletCoverBegin = 1208
    pelletCoverEnd = 1209
    pelletReleaseBegin = 1211
    pelletReleaseEnd = 1212
    pelletHomeBegin = 1214
    pelletHomeEnd = 1215
    headfixBaselineChanged = 1601
    deviceCommandSend = 2001
    deviceCommandAcknowledge = 2002
    loadCellEngagedChanged = 4001
    headbarPressureEngagedChanged = 4011
    trainingModeChanged = 5001
    trainingPlanLoad = 5101
    trainingPhaseEnter = 5201
    trainingPhaseExit = 5202
    trainingProgressUpdate = 5501

    @property
    def range(self) -> str:
        """The part of a device that it is about: ``"core"``, ``"behavior"`` …, or ``"unknown"``."""
        return _RANGES.get(self._value_ // 1000, "unknown")


#: These go out on EMERGENCY before they do on EVENT.
EMERGENCIES = frozenset((101, 102))


@attrs.frozen
class ApiEvent:
    """Something that happened."""

    kind: ApiEventKind | int
    #: a datetime, or Unix seconds, as which it goes out
    when: datetime | float
    #: nanoseconds of a monotonic clock, the same one for all events of a device
    index: int
    #: what there is to say about an event of this kind
    context: Mapping[str, object] | None = None
