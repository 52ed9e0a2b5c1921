"""The device of `aip-trio rpc serve`: real enough to try a client on."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, cast

import attrs
import trio

from aip_trio.actors import current_environment
from aip_trio.cli.rpc._acquisition import Acquisition, Happening, Mode, Switch
from aip_trio.cli.rpc._machine import Sample
from aip_trio.cli.rpc._readings import changes
from aip_trio.errors import IllegalTransition
from aip_trio.rpc import (
    ApiCommand,
    ApiCommandRequest,
    ApiCommandRequestResponse,
    ApiCommandRequestResult,
    ApiEvent,
    ApiEventKind,
    ApiTopic,
)

__all__ = ["AskedToRaise", "Publisher", "TrialDevice"]

logger = logging.getLogger("aip_trio.cli")

#: Error codes of this device.
_NOT_NOW, _BAD_DATA, _ASKED_TO_FAIL = 1, 2, 3

#: Seconds that a command may be asked to sleep.
_LONGEST_SLEEP = 3600.0

_SUCCESS, _FAILED = ApiCommandRequestResult.SUCCESS, ApiCommandRequestResult.FAILED


class AskedToRaise(Exception):
    """A command's data asked for it, to show what becomes of a delegate that raises."""


class Publisher(Protocol):
    """What the device needs of an `aip_trio.rpc.RpcService`."""

    def send_event(self, event: ApiEvent) -> bool:
        """Publish an event."""
        ...

    def send_dict(self, topic: ApiTopic, message: Mapping[str, object]) -> bool:
        """Publish anything."""
        ...


class TrialDevice:
    """Answers commands, and publishes what happens.

    ``configuration`` is its answer to GET_CONFIGURATION; ``sample`` what `take_sample` has seen at the start.
    """

    def __init__(self, publisher: Publisher, configuration: Mapping[str, object], sample: Sample) -> None:
        self._publisher = publisher
        self._configuration = configuration
        self._sample = sample
        self._acquisition = Acquisition()
        self._published: Mapping[str, object] = {}
        self._began = trio.current_time()

    @property
    def mode(self) -> Mode:
        """What the device is doing."""
        return self._acquisition.mode

    async def answer(self, request: ApiCommandRequest) -> ApiCommandRequestResponse:
        """The service's delegate. A checkpoint."""
        await trio.lowlevel.checkpoint()
        switch = Switch.__members__.get(request.command.name)
        if switch is not None:
            return self._switch(switch)
        match request.command:
            case ApiCommand.GET_CONFIGURATION:
                return ApiCommandRequestResponse(_SUCCESS, self._configuration)
            case ApiCommand.GET_STATUS:
                return ApiCommandRequestResponse(_SUCCESS, self._status())
            case ApiCommand.USER_DEFINED:
                return await _perform(request)
            case _:
                return ApiCommandRequestResponse(ApiCommandRequestResult.UNRECOGNIZED)

    def launched(self, version: str) -> None:
        """Say that it is there now."""
        self._publish(Happening(ApiEventKind.applicationLaunched, {"version": version}))

    def terminating(self, reason: str) -> None:
        """Say that it will be gone soon."""
        self._publish(Happening(ApiEventKind.applicationTerminating, {"reason": reason}))

    async def read(self, interval: float, take: Callable[[], Awaitable[Sample]]) -> None:
        """Read the machine, every so many seconds, for ever; publish what changes, while it acquires.

        ``take`` takes a sample. A checkpoint.
        """
        while True:
            await trio.sleep(interval)
            self._sample = await take()
            if self.mode is Mode.ACQUIRING:
                self._publish_readings()

    def _switch(self, switch: Switch) -> ApiCommandRequestResponse:
        before = self.mode
        try:
            happenings = self._acquisition.switch(switch, trio.current_time())
        except IllegalTransition as refused:
            told = f"cannot {switch.value} now: the device is {before.value}, and may be told to"
            legal = ", ".join(each.value for each in cast("tuple[Switch, ...]", refused.legal))
            return ApiCommandRequestResponse(_FAILED, error_code=_NOT_NOW, error_message=f"{told} {legal}")
        if self.mode is Mode.ACQUIRING:
            self._published = {}
        for happening in happenings:
            self._publish(happening)
        logger.info("%s: the device was %s, and is %s", switch.value, before.value, self.mode.value)
        return ApiCommandRequestResponse(_SUCCESS, self._acquisition.status(trio.current_time()))

    def _status(self) -> dict[str, object]:
        now = trio.current_time()
        return {
            **self._acquisition.status(now),
            "uptime": round(now - self._began, 3),
            "when": current_environment().now().timestamp(),
            "machine": attrs.asdict(self._sample),
        }

    def _publish(self, happening: Happening) -> None:
        event = ApiEvent(
            kind=ApiEventKind(happening.kind),
            when=current_environment().now(),
            index=int(trio.current_time() * 1e9),
            context=happening.context,
        )
        self._publisher.send_event(event)

    def _publish_readings(self) -> None:
        readings = attrs.asdict(self._sample)
        found = list(changes(self._published, readings))
        for change in found:
            self._publisher.send_dict(ApiTopic.PROPERTY_CHANGE, change)
        self._published = readings
        self._acquisition.count(len(found))


async def _perform(request: ApiCommandRequest) -> ApiCommandRequestResponse:
    """A command of the user's own: it sleeps, fails or raises as its data says, and else gives it back."""
    asked = _fields(request.data)
    seconds = _time(asked.get("sleep", 0))
    if seconds is None:
        await trio.lowlevel.checkpoint()
        told = f"sleep={asked['sleep']!r} is no time: give seconds, from 0 to {_LONGEST_SLEEP:g}"
        return ApiCommandRequestResponse(_FAILED, error_code=_BAD_DATA, error_message=told)
    if seconds:
        logger.info("USER_DEFINED %d: sleeping for %g s", request.custom_command, seconds)
    await trio.sleep(seconds)
    if "raise" in asked:
        raise AskedToRaise(str(asked["raise"]))
    if "fail" in asked:
        return ApiCommandRequestResponse(_FAILED, error_code=_ASKED_TO_FAIL, error_message=str(asked["fail"]))
    data = {"custom_command": request.custom_command, "echo": request.data}
    return ApiCommandRequestResponse(_SUCCESS, data)


def _fields(data: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", data) if isinstance(data, Mapping) else {}


def _time(value: object) -> float | None:
    """Seconds that can be slept; None: that is none."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    return number if 0 <= number <= _LONGEST_SLEEP else None
