"""How many restarts are too many."""

import attrs

from aip_trio.errors import InvalidSpec

__all__ = ["Restart", "RestartWindow"]


@attrs.frozen
class Restart:
    """A restart that was, or would have been, made: when (seconds of the caller's clock), and why."""

    at: float
    cause: BaseException | None = None


@attrs.frozen
class RestartWindow:
    """The restarts within the last ``period`` seconds; more than ``intensity`` of them are too many.

    Erlang/OTP's rule (supervisor(3), "Maximum Restart Intensity"): one that lies exactly ``period``
    seconds back still counts.
    """

    intensity: int = 3
    period: float = 5.0
    restarts: tuple[Restart, ...] = ()

    def __attrs_post_init__(self) -> None:
        if isinstance(self.intensity, bool) or not isinstance(self.intensity, int) or self.intensity < 0:
            raise InvalidSpec("intensity", self.intensity, "give a number of restarts, 0 or more")
        if not isinstance(self.period, (int, float)) or not self.period > 0:
            raise InvalidSpec("period", self.period, "give seconds, more than 0")

    def add(self, restart: Restart) -> "RestartWindow":
        """The window after this restart, without those that have grown too old."""
        oldest = restart.at - self.period
        kept = tuple(earlier for earlier in self.restarts if earlier.at >= oldest)
        return attrs.evolve(self, restarts=(*kept, restart))

    @property
    def exceeded(self) -> bool:
        """Whether it holds more restarts than its intensity allows."""
        return len(self.restarts) > self.intensity

    @property
    def causes(self) -> tuple[BaseException, ...]:
        """Why the restarts were made, oldest first, where a cause is known."""
        return tuple(restart.cause for restart in self.restarts if restart.cause is not None)
