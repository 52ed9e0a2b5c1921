"""What a soak is told."""

from __future__ import annotations

from pathlib import Path

import attrs

__all__ = ["LINKS", "Settings"]

#: What the two ends may agree on: "v2" is what they like best; for the others the proxies see to it.
LINKS = ("v2", "v2+json", "v2+msgpack", "v1")


@attrs.frozen(kw_only=True)
class Settings:
    """``life``: seconds that a connection has on the average, until the network breaks it.

    ``streams``: how many tasks each orchestrator has on each device at a time; ``commands``: of one task, on
    the average. ``patience``: seconds that a task may take, whatever the network does. ``folder``: where
    journals and logs go.
    """

    seconds: float
    seed: int
    folder: Path
    link: str = "v2"
    devices: int = 3
    orchestrators: int = 2
    streams: int = 2
    commands: int = 4
    life: float = 2.0
    patience: float = 60.0

    @property
    def offer(self) -> str | None:
        """The only WebSocket subprotocol that a client's offer is to reach the server with; None: all."""
        return None if self.link == "v2" else f"aip.{self.link}"

    @property
    def exactly_once(self) -> bool:
        """Whether the link promises that nothing is lost and nothing comes twice."""
        return self.link != "v1"
