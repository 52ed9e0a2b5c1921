"""The strike of a run, and how long the fleet takes to get over it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection

import trio

from aip_trio.cli.demo._strike import Strike

__all__ = ["Damage"]


class Damage:
    """Strikes once, if at all, and waits for those who were hit.

    ``devices``: who is cut off when the server dies. ``kill``: kills the process of that name, and returns
    its id.
    """

    def __init__(
        self, strike: Strike | None, devices: Collection[str], kill: Callable[[str], Awaitable[int]]
    ) -> None:
        self._strike = strike
        self._kill = kill
        self._sent: Counter[str] = Counter()
        self._begun = strike is None
        self._struck: float | None = None
        self._hit: set[str] = set()
        if strike is not None:
            self._hit.update([strike.victim] if strike.victim in devices else devices)
        #: who was killed
        self.killed: str | None = None
        #: seconds until all that were hit answered again
        self.recovery: float | None = None

    def due(self, device: str, *, last: bool) -> bool:
        """A task leaves for this device: whether to `strike` now. ``last``: it is the device's last one."""
        strike = self._strike
        if strike is None or self._begun:
            return False
        self._sent[device] += 1
        count = self._sent[device] if strike.victim == device else self._sent.total()
        if device not in self._hit or not (last or count > strike.at):
            return False
        self._begun = True
        return True

    async def strike(self) -> None:
        """Kill, when the fuse has burnt down. A checkpoint."""
        assert self._strike is not None
        await trio.sleep(self._strike.fuse)
        pid = await self._kill(self._strike.victim)
        self._struck = trio.current_time()
        self.killed = f"{self._strike.victim} (pid {pid})"

    def served(self, device: str, sent: float) -> None:
        """This device has answered to what left for it at that time."""
        if self._struck is None or sent < self._struck or device not in self._hit:
            return
        self._hit.remove(device)
        if not self._hit:
            self.recovery = trio.current_time() - self._struck

    @property
    def missing(self) -> list[str]:
        """Who was hit, and has not been heard of since."""
        return [] if self._struck is None else sorted(self._hit)
