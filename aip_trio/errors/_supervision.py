"""What a supervisor could not, or would not, do."""

import attrs

from aip_trio.errors._base import AipError, told

__all__ = [
    "ChildAlreadyPresent",
    "ChildAlreadyStarted",
    "ChildNotFound",
    "ChildRefusal",
    "ChildRestarting",
    "ChildRunning",
    "RestartIntensityExceeded",
    "RetriesExhausted",
    "StartFailed",
    "StopTimeout",
    "SupervisionError",
]


class SupervisionError(AipError):
    """A supervisor could not do, or refused, what was asked of it."""


@attrs.define(slots=False)
class StartFailed(SupervisionError):
    """A child did not come up; ``__cause__`` is why."""

    child: str
    cause: BaseException

    def __attrs_post_init__(self) -> None:
        self.__cause__ = self.cause

    def __str__(self) -> str:
        return f"could not start {self.child}: {told(self.cause)}"


@attrs.define(slots=False)
class RestartIntensityExceeded(SupervisionError):
    """A supervisor gave up: more than ``intensity`` restarts within ``period`` seconds.

    ``causes`` are the crashes in that period, oldest first; the last one is also ``__cause__``.
    """

    supervisor: str
    child: str
    intensity: int
    period: float
    causes: tuple[BaseException, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.causes:
            self.__cause__ = self.causes[-1]

    def __str__(self) -> str:
        last = f"; last: {told(self.causes[-1])}" if self.causes else ""
        return (
            f"supervisor {self.supervisor} gave up on child {self.child!r}: more than"
            f" intensity={self.intensity} restarts within period={self.period} s{last}"
        )


@attrs.define(slots=False)
class RetriesExhausted(RestartIntensityExceeded):
    """A supervisor gave up on a child with a backoff: more than ``max_retries`` failures in a row.

    ``intensity`` is that number, ``period`` is infinite, ``causes`` holds the last crash alone.
    """

    def __str__(self) -> str:
        last = f"; last: {told(self.causes[-1])}" if self.causes else ""
        return (
            f"supervisor {self.supervisor} gave up on child {self.child!r} after"
            f" max_retries={self.intensity} retries in a row{last}"
        )


@attrs.define(slots=False)
class StopTimeout(SupervisionError):
    """An actor did not stop within its shutdown time and was cancelled."""

    actor: str
    shutdown: float

    def __str__(self) -> str:
        return (
            f"actor {self.actor} did not stop within shutdown={self.shutdown} s and was cancelled:"
            " shorten its handlers and stopping(), or give it more time"
        )


@attrs.define(slots=False)
class ChildRefusal(SupervisionError):
    """A supervisor's refusal of a call. What was asked has not been done."""

    supervisor: str
    name: str


class ChildNotFound(ChildRefusal, LookupError):
    """The supervisor has no such child (OTP: ``not_found``)."""

    def __str__(self) -> str:
        return f"supervisor {self.supervisor} has no child {self.name!r}: see which_children()"


class ChildRunning(ChildRefusal):
    """The child runs (OTP: ``running``)."""

    def __str__(self) -> str:
        return f"child {self.name!r} of {self.supervisor} is running: terminate_child() first"


class ChildRestarting(ChildRefusal):
    """The child waits for its restart (OTP: ``restarting``)."""

    def __str__(self) -> str:
        return f"child {self.name!r} of {self.supervisor} is being restarted: terminate_child() cancels that"


class ChildAlreadyStarted(ChildRefusal):
    """A child of that name runs (OTP: ``already_started``)."""

    def __str__(self) -> str:
        return f"child {self.name!r} of {self.supervisor} is started already: choose another name"


class ChildAlreadyPresent(ChildRefusal):
    """The supervisor keeps a spec of that name, whose child does not run (OTP: ``already_present``)."""

    def __str__(self) -> str:
        return (
            f"supervisor {self.supervisor} has a spec for {self.name!r} already, not running:"
            " restart_child() starts it, delete_child() forgets it"
        )
