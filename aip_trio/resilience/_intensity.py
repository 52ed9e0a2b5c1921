"""How many restarts are too many."""

import attrs

from aip_trio.errors import InvalidSpec

__all__ = ["Restart", "RestartWindow"]


@attrs.frozen
class Restart:
    """A restart that was, or would have been, made: when (seconds of the caller's clock), and why."""

    at: float
    cause: BaseException | None = None


@attrs.define
class RestartWindow:
    """The restarts within the last ``period`` seconds; more than ``intensity`` of them are too many.

    Erlang/OTP's rule (supervisor(3), "Maximum Restart Intensity"): one that lies exactly ``period``
    seconds back still counts.
    """

    intensity: int = attrs.field(default=3, on_setattr=attrs.setters.frozen)
    period: float = attrs.field(default=5.0, on_setattr=attrs.setters.frozen)
    #: a list: an empty deque takes ten times its room, and every supervisor has one
    _restarts: list[Restart] = attrs.field(init=False, factory=lambda: list[Restart]())

    def __attrs_post_init__(self) -> None:
        if isinstance(self.intensity, bool) or not isinstance(self.intensity, int) or self.intensity < 0:
            raise InvalidSpec("intensity", self.intensity, "give a number of restarts, 0 or more")
        if not isinstance(self.period, (int, float)) or not self.period > 0:
            raise InvalidSpec("period", self.period, "give seconds, more than 0")

    def add(self, restart: Restart) -> None:
        """Count one more, no earlier than those before; forget those that have grown too old."""
        oldest = restart.at - self.period
        while self._restarts and self._restarts[0].at < oldest:
            del self._restarts[0]
        self._restarts.append(restart)

    def another(self) -> "RestartWindow":
        """A window with the same limits, and no restarts."""
        return RestartWindow(self.intensity, self.period)

    @property
    def restarts(self) -> tuple[Restart, ...]:
        """Those that count, oldest first."""
        return tuple(self._restarts)

    @property
    def exceeded(self) -> bool:
        """Whether it holds more restarts than its intensity allows."""
        return len(self._restarts) > self.intensity

    @property
    def causes(self) -> tuple[BaseException, ...]:
        """Why the restarts were made, oldest first, where a cause is known."""
        return tuple(restart.cause for restart in self._restarts if restart.cause is not None)
